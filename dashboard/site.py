"""The site's cameras, zones, rules and channels, as the pages need them."""

from sqlmodel import Session, col, select

from safety.store.tables import Camera


def camera_names(session: Session) -> list[tuple[str, str]]:
    """Id and name of every camera, in the site's order."""
    rows = session.exec(select(Camera).order_by(col(Camera.position), col(Camera.id)))
    return [(row.id, str(row.spec.get("name", row.id))) for row in rows]
