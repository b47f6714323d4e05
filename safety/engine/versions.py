"""Another network or another version counts other things: each change goes into the record."""

from datetime import datetime

from safety import __version__
from safety.config import Settings
from safety.errors import ModelError
from safety.evidence.files import sha256_of
from safety.perception.models import find_pose_model, find_ppe_model
from safety.store import audit
from safety.store.database import Database

_BY = "anjeon"


def record_versions(database: Database, settings: Settings, *, now: datetime) -> None:
    """Put on record which networks and which version run, where it is not what ran before.

    Args:
        now: UTC.

    Raises:
        StoreUnavailable: Nothing was written; call again later.
    """
    running: dict[tuple[str, str], dict[str, str]] = {
        ("software", "anjeon"): {"version": __version__}
    }
    for name, find in (("pose", find_pose_model), ("ppe", find_ppe_model)):
        try:
            path = find(settings)
            running["model", name] = {"file": path.name, "sha256": sha256_of(path)}
        except (ModelError, OSError):
            # Whoever needs the network says so; what is not there has not changed.
            continue
    with database.transaction() as session:
        for (kind, subject), detail in running.items():
            actions = (f"{kind}.first", f"{kind}.change")
            before = audit.newest(session, actions=actions, subject=subject)
            if before is None or before.detail.get("now") != detail:
                audit.record(
                    session,
                    actor=_BY,
                    action=actions[before is not None],
                    subject=subject,
                    at=now,
                    detail={"now": detail, "before": before and before.detail.get("now")},
                )
