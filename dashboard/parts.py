"""Reading and changing one camera, zone, rule or channel, guarded by ETags."""

from collections.abc import Sequence
from typing import TypeVar

from sqlmodel import Session
from starlette.responses import Response

from dashboard.errors import Unprocessable
from dashboard.etags import require_match, spec_etag
from dashboard.visit import Visit
from safety.site import edit
from safety.site.apply import load_site
from safety.site.edit import Part, PartKind
from safety.store.refusals import NotFound

P = TypeVar("P", bound=Part)


def list_parts(visit: Visit, kind: PartKind) -> Sequence[Part]:
    """All of one kind, in the site's order."""
    with visit.database.reading() as session:
        return _parts(session, kind)


def get_part(visit: Visit, kind: PartKind, part_id: str, response: Response) -> Part:
    """One of them; its ETag goes into the response.

    Raises:
        NotFound: There is none.
    """
    with visit.database.reading() as session:
        part = _find(_parts(session, kind), part_id)
    if part is None:
        raise NotFound(kind.removesuffix("s"), part_id)
    response.headers["etag"] = spec_etag(part)
    return part


def put_part(visit: Visit, part_id: str, part: P, if_match: str | None, response: Response) -> P:
    """Add it (201), or replace the one that ``if_match`` names (200).

    Raises:
        Unprocessable: The id in the address is not the one in the body.
        PreconditionRequired: There is one already, and no version was named.
        PreconditionFailed: Somebody changed it meanwhile.
        ConfigError: It refers to something that the site does not have.
    """
    if part.id != part_id:
        raise Unprocessable(
            "web.other_id", "the body's id '{id}' is not the one in the address", id=part.id
        )
    with visit.database.transaction() as session:
        present = _find(_parts(session, edit.kind_of(part)), part_id)
        if present is not None:
            require_match(if_match, spec_etag(present))
        edit.put(session, part, **visit.signed)
    visit.hub.nudge("config")
    response.status_code = 200 if present is not None else 201
    response.headers["etag"] = spec_etag(part)
    return part


def delete_part(visit: Visit, kind: PartKind, part_id: str, if_match: str | None) -> None:
    """Remove it.

    Raises:
        NotFound: There is none.
        Conflict: Something refers to it.
        PreconditionRequired, PreconditionFailed: As for ``put_part``.
    """
    with visit.database.transaction() as session:
        present = _find(_parts(session, kind), part_id)
        if present is None:
            raise NotFound(kind.removesuffix("s"), part_id)
        require_match(if_match, spec_etag(present))
        edit.remove(session, kind, part_id, **visit.signed)
    visit.hub.nudge("config")


def _parts(session: Session, kind: PartKind) -> Sequence[Part]:
    return edit.parts_of(load_site(session).spec, kind)


def _find(parts: Sequence[Part], part_id: str) -> Part | None:
    return next((part for part in parts if part.id == part_id), None)
