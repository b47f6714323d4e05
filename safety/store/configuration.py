"""The site's configuration: cameras, zones, rules and channels as JSON specifications.

What a specification may say is decided by whoever writes it (``safety.site``); here it is
kept, compared, numbered and audited. Every change goes through ``replace``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from safety.store import audit, rule_history
from safety.store.refusals import Conflict, NotFound
from safety.store.tables import Camera, Channel, Rule, Site, Zone
from safety.store.upsert import insert_new

SpecJson = Mapping[str, Any]
Row = Camera | Zone | Rule | Channel

KINDS: Mapping[str, type[Row]] = {
    "cameras": Camera,
    "zones": Zone,
    "rules": Rule,
    "channels": Channel,
}
"""Parts of a site and their tables; each comes after what it refers to."""


SITE_FIELDS = ("name", "timezone", "language", "plant", "policy")
"""What is kept in the site's own row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A site's configuration, specifications in the order in which people gave them.

    Attributes:
        revision: Goes up by one at every change; 0 if nothing was ever configured.
        rule_revisions: By rule id.
        disabled_channels: Why nothing is sent there, by channel id.
    """

    name: str = "Anjeon"
    timezone: str = "Asia/Seoul"
    language: str = "ko"
    plant: SpecJson = field(default_factory=dict)
    policy: SpecJson = field(default_factory=dict)
    cameras: Sequence[SpecJson] = ()
    zones: Sequence[SpecJson] = ()
    rules: Sequence[SpecJson] = ()
    channels: Sequence[SpecJson] = ()
    revision: int = 0
    rule_revisions: Mapping[str, int] = field(default_factory=dict)
    disabled_channels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a new configuration changed, as ``"cameras/gate"`` and the like.

    Attributes:
        site: Names of the site's own fields that changed.
        reordered: Only the order of something changed.
        revision: The configuration's revision afterwards.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    reordered: bool = False
    revision: int = 0

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.added or self.changed or self.removed or self.site or self.reordered)


def revision(session: Session) -> int:
    """The configuration's revision: cheap enough to ask every second."""
    return session.exec(select(Site.config_revision).where(Site.id == 1)).first() or 0


def load(session: Session) -> Configuration:
    """The configuration in force; that of an empty site if there is none."""
    site = session.get(Site, 1) or Site(name=Configuration().name)
    rows = {kind: _rows(session, table) for kind, table in KINDS.items()}
    specs = {kind: tuple(row.spec for row in of_kind) for kind, of_kind in rows.items()}
    return Configuration(
        name=site.name,
        timezone=site.timezone,
        language=site.language,
        plant=site.plant,
        policy=site.policy,
        revision=site.config_revision,
        rule_revisions={row.id: row.revision for row in rows["rules"] if isinstance(row, Rule)},
        disabled_channels={
            row.id: row.disabled_reason
            for row in rows["channels"]
            if isinstance(row, Channel) and row.disabled_reason
        },
        **specs,
    )


def lock(session: Session) -> Site:
    """The site's row, kept from all other changes until the transaction ends."""
    insert_new(session, Site(id=1, name=Configuration().name))
    query = select(Site).where(Site.id == 1).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one()


def replace(
    session: Session,
    wanted: Configuration,
    *,
    by: str,
    at: datetime,
    expected_revision: int | None = None,
) -> Changes:
    """Make this the configuration; what is the same already is left alone.

    Args:
        session: The open transaction.
        wanted: Its revisions and disabled channels are ignored.
        by: Who, for the audit log.
        at: UTC.
        expected_revision: The revision that ``wanted`` was made from.

    Returns:
        What changed. Only then do revisions go up: the site's, and those of rules whose
        own specification, or whose zone's polygon or camera, is another one.

    Raises:
        Conflict: The configuration is no longer at ``expected_revision``.
    """
    site = lock(session)
    if expected_revision not in {None, site.config_revision}:
        raise Conflict(
            "site.changed",
            "somebody else changed the configuration in the meantime; look at it again",
        )
    before = load(session)
    changes = _compare(before, wanted, revision=site.config_revision + 1)
    if not changes:
        return Changes(revision=site.config_revision)
    _write(session, wanted)
    rule_history.append(session, wanted.zones, by=by, at=at)
    for name in SITE_FIELDS:
        setattr(site, name, getattr(wanted, name))
    site.config_revision = changes.revision
    session.flush()
    detail = _audit_detail(before, wanted, changes)
    audit.record(session, actor=by, action="site.change", subject="site", at=at, detail=detail)
    return changes


def disable_channel(session: Session, channel_id: str, *, reason: str) -> None:
    """Send nothing there any more: the receiver refused for good.

    Raises:
        NotFound: There is no such channel.
    """
    _set_disabled(session, channel_id, reason)


def enable_channel(session: Session, channel_id: str, *, by: str, at: datetime) -> None:
    """Somebody wants a disabled channel to be used again.

    Raises:
        NotFound: There is no such channel.
    """
    _set_disabled(session, channel_id, None)
    audit.record(session, actor=by, action="channel.enable", subject=channel_id, at=at)


def _set_disabled(session: Session, channel_id: str, reason: str | None) -> None:
    site = lock(session)
    row = session.get(Channel, channel_id)
    if row is None:
        raise NotFound("channel", channel_id)
    if row.disabled_reason != reason:
        row.disabled_reason = reason
        site.config_revision += 1
        session.flush()


def _rows(session: Session, table: type[Row]) -> Sequence[Row]:
    query = select(table).order_by(col(table.position), col(table.id))
    return [row for row in session.scalars(query) if isinstance(row, Row)]


def _by_id(configuration: Configuration, kind: str) -> dict[str, SpecJson]:
    specs: Sequence[SpecJson] = getattr(configuration, kind)
    return {spec["id"]: spec for spec in specs}


def _compare(before: Configuration, wanted: Configuration, *, revision: int) -> Changes:
    added, changed, removed, reordered = [], [], [], False
    for kind in KINDS:
        old, new = _by_id(before, kind), _by_id(wanted, kind)
        added += [f"{kind}/{name}" for name in new if name not in old]
        removed += [f"{kind}/{name}" for name in old if name not in new]
        changed += [f"{kind}/{name}" for name in new if name in old and new[name] != old[name]]
        reordered = reordered or (list(old) != list(new) and set(old) == set(new))
    return Changes(
        added=tuple(added),
        changed=tuple(changed),
        removed=tuple(removed),
        site=tuple(name for name in SITE_FIELDS if getattr(before, name) != getattr(wanted, name)),
        reordered=reordered,
        revision=revision,
    )


def _write(session: Session, wanted: Configuration) -> None:
    rows = {kind: {row.id: row for row in _rows(session, KINDS[kind])} for kind in KINDS}
    for kind, table in KINDS.items():
        for position, (name, spec) in enumerate(_by_id(wanted, kind).items()):
            row = rows[kind].pop(name, None)
            if row is None:
                row = table.model_validate({"id": name, **_columns(kind, spec)})
            if isinstance(row, Channel) and row.spec != spec:
                row.disabled_reason = None
            row.sqlmodel_update({"position": position, **_columns(kind, spec)})
            session.add(row)
        session.flush()
    for kind in reversed(list(KINDS)):
        for row in rows[kind].values():
            session.delete(row)
        session.flush()


def _columns(kind: str, spec: SpecJson) -> dict[str, Any]:
    found: dict[str, Any] = {"spec": dict(spec)}
    return found | {"camera_id": spec.get("camera_id")} if kind == "zones" else found


def _audit_detail(before: Configuration, wanted: Configuration, changes: Changes) -> dict[str, Any]:
    def specs(configuration: Configuration, names: Sequence[str]) -> dict[str, SpecJson]:
        return {
            name: _by_id(configuration, name.split("/")[0])[name.split("/")[1]] for name in names
        }

    return {
        "revision": changes.revision,
        "before": specs(before, [*changes.changed, *changes.removed])
        | {name: getattr(before, name) for name in changes.site},
        "after": specs(wanted, [*changes.added, *changes.changed])
        | {name: getattr(wanted, name) for name in changes.site},
        "reordered": changes.reordered,
    }
