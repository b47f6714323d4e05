"""Reading alerts page by page, newest first, in time that does not grow with their number.

Every filter that an index serves is asked for by equality, one query for each combination; the
answers, each in order and no longer than a page, are merged.
"""

import heapq
import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, and_, col, or_, select

from safety.store.refusals import NotFound
from safety.store.tables import Alert

STATES = ("raised", "acknowledged", "confirmed", "false_positive", "expired")
"""Every state that an alert can be in."""

MOST_PLACES = 12
"""Places that one search is answered for."""

Position = tuple[datetime, str]
"""An alert's position in the order: when it was raised, and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which alerts; an empty field leaves nothing out.

    Attributes:
        leads: Only those that lead a conversation.
        zones, cameras: Those of any of these places.
        nothing: None at all: a search that fits no place.
    """

    states: tuple[str, ...] = ()
    leads: bool = False
    zones: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    kind: str | None = None
    severity: str | None = None
    nothing: bool = False


def page(
    session: Session, wanted: Wanted, *, before: str | None = None, limit: int = 50
) -> Sequence[Alert]:
    """Alerts, newest first; ``before`` is the id of the last one of the page before.

    Raises:
        NotFound: ``before`` names no alert.
    """
    last = session.get(Alert, before) if before is not None else None
    if before is not None and last is None:
        raise NotFound("alert", before)
    if wanted.nothing:
        return []
    branches = itertools.product(
        _states(wanted), (True,) if wanted.leads else (True, False), _places(wanted)
    )
    found = [_branch(session, wanted, *branch, last, limit) for branch in branches]
    merged = heapq.merge(*found, reverse=True)
    return _loaded(session, [key for _, key in itertools.islice(_once(merged), limit)])


def list_alerts(
    session: Session,
    *,
    state: str | Collection[str] | None = None,
    camera: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[Alert]:
    """Alerts, newest first.

    Args:
        session: A session.
        state: One state, several, or None for all.
        camera: Only this camera's.
        before: Id of the last alert of the page before.
        limit: How many at most.

    Raises:
        NotFound: ``before`` names no alert.
    """
    states = (state,) if isinstance(state, str) else tuple(state or ())
    nothing = state is not None and not states
    cameras = (camera,) if camera is not None else ()
    wanted = Wanted(states=states, cameras=cameras, nothing=nothing)
    return page(session, wanted, before=before, limit=limit)


def by_prefix(session: Session, prefix: str, *, limit: int = 20) -> Sequence[Alert]:
    """Alerts whose id begins like this, newest first."""
    query = select(Alert).where(col(Alert.id) >= prefix, col(Alert.id) < prefix + "~")
    rows = session.exec(query.order_by(col(Alert.id)).limit(limit)).all()
    return sorted(rows, key=lambda row: (row.raised_at, row.id), reverse=True)


def _states(wanted: Wanted) -> Sequence[str | None]:
    """The states; all of them one by one where an index begins with a place or a kind."""
    if wanted.states:
        return wanted.states
    return STATES if wanted.zones or wanted.cameras or wanted.kind else (None,)


def _places(wanted: Wanted) -> Sequence[Any]:
    zones = [Alert.zone_id == each for each in wanted.zones[:MOST_PLACES]]
    cameras = [Alert.camera_id == each for each in wanted.cameras[:MOST_PLACES]]
    return [*zones, *cameras] or [None]


def _branch(
    session: Session,
    wanted: Wanted,
    state: str | None,
    leads: bool,
    place: Any,
    last: Alert | None,
    limit: int,
) -> Sequence[Position]:
    # Only what the order needs: an index has it, and most of it is not shown.
    query = select(Alert.raised_at, Alert.id).where(col(Alert.leads).is_(leads))
    if state is not None:
        query = query.where(Alert.state == state)
    if place is not None:
        query = query.where(place)
    if wanted.kind is not None:
        query = query.where(Alert.rule_kind == wanted.kind)
    if wanted.severity is not None:
        query = query.where(Alert.severity == wanted.severity)
    if last is not None:
        same_time = and_(Alert.raised_at == last.raised_at, col(Alert.id) < last.id)
        query = query.where(
            # The first condition is what an index can begin with.
            col(Alert.raised_at) <= last.raised_at,
            or_(col(Alert.raised_at) < last.raised_at, same_time),
        )
    newest_first = col(Alert.raised_at).desc(), col(Alert.id).desc()
    return session.exec(query.order_by(*newest_first).limit(limit)).all()


def _once(positions: Iterator[Position]) -> Iterator[Position]:
    """Positions in order without repetitions: one alert may fit a zone and a camera."""
    for position, _ in itertools.groupby(positions):
        yield position


def _loaded(session: Session, ids: Sequence[str]) -> list[Alert]:
    """The alerts with these ids, in their order."""
    rows = session.exec(select(Alert).where(col(Alert.id).in_(ids)))
    found = {row.id: row for row in rows}
    return [found[key] for key in ids if key in found]
