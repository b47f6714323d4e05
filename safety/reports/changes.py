"""Changes that break the series: another rule or network counts other things."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session

from safety.reports.schema import Change
from safety.store import audit

_KINDS: Mapping[str, Literal["camera", "zone", "rule", "channel"]] = {
    "cameras": "camera",
    "zones": "zone",
    "rules": "rule",
    "channels": "channel",
}


def changes_between(session: Session, *, since: datetime, until: datetime) -> tuple[Change, ...]:
    """What was changed in a window, oldest first; names of people are left out."""
    entries = audit.between(
        session,
        actions=("site.change", "baseline.change", "model.change", "software.change"),
        since=since,
        until=until,
    )
    found: list[Change] = []
    for entry in entries:
        found += _changes(entry.at, entry.action, entry.subject, entry.detail)
    return tuple(found)


def _changes(
    at: datetime, action: str, subject: str, detail: Mapping[str, Any]
) -> Iterator[Change]:
    if action == "baseline.change":
        yield Change(at=at, kind="baseline", subject=subject, what=str(detail.get("reason", "")))
    elif action == "model.change":
        yield Change(at=at, kind="model", subject=subject, what="changed")
    elif action == "software.change":
        yield Change(at=at, kind="software", subject=subject, what="changed")
    else:
        before, after = detail.get("before", {}), detail.get("after", {})
        for name in sorted({*before, *after}):
            group, _, part = name.partition("/")
            if not part:
                if group == "plant":
                    yield Change(at=at, kind="plant", subject="plant", what="changed")
                continue
            what = "added" if name not in before else "changed" if name in after else "removed"
            yield Change(at=at, kind=_KINDS[group], subject=part, what=what)
