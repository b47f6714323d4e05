"""The database's tables. Times are UTC; specifications are the same JSON as in YAML."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Index,
    Text,
    UniqueConstraint,
    true,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Column, Field, SQLModel

from safety.store.audit_hash import GENESIS

SQLModel.metadata.naming_convention = {
    # Migrations can only change what has a name.
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware UTC datetime on every database, SQLite included."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _time(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(
        default=None,
        sa_column=Column(UtcDateTime(), nullable=nullable, index=index),
    )


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def _inbox_index(name: str, *also: str) -> Index:
    """What the inbox needs to show one camera's (zone's, kind's) alerts in one state.

    Columns at its end take no part in the order: a filter on them is answered by the index
    alone, however many alerts it leaves out.
    """
    return Index(f"ix_alert_{name}_inbox", name, "state", "leads", "raised_at", "id", *also)


class Site(SQLModel, table=True):
    """The one site of this database; ``id`` is always 1."""

    id: int = Field(default=1, primary_key=True)
    name: str
    timezone: str = "Asia/Seoul"
    language: str = "ko"
    plant: dict[str, Any] = _json()
    """Floor plan, shifts and the rest that has no table of its own."""
    policy: dict[str, Any] = _json()
    """Who is told of which alert, and when."""
    config_revision: int = 0
    """Goes up by one at every change of what is configured."""


class Camera(SQLModel, table=True):
    """A camera's specification."""

    id: str = Field(primary_key=True)
    position: int = 0
    spec: dict[str, Any] = _json()


class Zone(SQLModel, table=True):
    """A zone's specification."""

    id: str = Field(primary_key=True)
    position: int = 0
    camera_id: str | None = Field(default=None, foreign_key="camera.id", index=True)
    """None for a zone on the floor plan."""
    spec: dict[str, Any] = _json()


class Rule(SQLModel, table=True):
    """A rule's present specification."""

    id: str = Field(primary_key=True)
    position: int = 0
    revision: int = 1
    spec: dict[str, Any] = _json()


class RuleRevision(SQLModel, table=True):
    """Every specification a rule ever had, with its zone's, to explain old violations."""

    __tablename__ = "rule_revision"

    rule_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    spec: dict[str, Any] = _json()
    zone_spec: dict[str, Any] = _json()
    created_at: datetime = _time()
    created_by: str


class Channel(SQLModel, table=True):
    """An alert channel's specification."""

    id: str = Field(primary_key=True)
    position: int = 0
    spec: dict[str, Any] = _json()
    disabled_reason: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    """Why nothing is sent there although it is configured (the receiver refused for good);
    None: in use. A changed specification puts it back into use."""


class ViolationRow(SQLModel, table=True):
    """One violation, as of its newest report."""

    __tablename__ = "violation"
    __table_args__ = (
        # One for each way in which the record is read, newest first.
        Index("ix_violation_opened_at_id", "opened_at", "id"),
        Index("ix_violation_camera_id_opened_at_id", "camera_id", "opened_at", "id"),
        Index("ix_violation_rule_id_opened_at_id", "rule_id", "opened_at", "id"),
    )

    id: str = Field(primary_key=True)
    revision: int
    """Of the newest report."""
    phase: str = Field(index=True)
    rule_id: str
    rule_revision: int
    rule_kind: str
    camera_id: str
    zone_id: str | None = None
    subject: str
    severity: str
    captured_at: datetime = _time()
    opened_at: datetime = _time()
    closed_at: datetime | None = _time(nullable=True)
    duration_s: float = 0.0
    """Monotonic seconds from opening to closing, or to the newest report while it is open;
    a clock jump does not change it."""
    end_reason: str | None = None
    details: dict[str, Any] = _json()
    siren_latency_s: float | None = None
    """Frame captured → siren command sent."""


class Alert(SQLModel, table=True):
    """A request for attention."""

    __table_args__ = (
        # One for each way in which the inbox is read, newest first.
        Index("ix_alert_leads_raised_at_id", "leads", "raised_at", "id"),
        Index("ix_alert_state_inbox", "state", "leads", "raised_at", "id", "severity"),
        Index("ix_alert_severity_leads_raised_at_id", "severity", "leads", "raised_at", "id"),
        _inbox_index("camera_id", "rule_kind", "severity"),
        _inbox_index("zone_id", "rule_kind", "severity"),
        _inbox_index("rule_kind", "severity"),
        Index("ix_alert_rule_id_subject_raised_at", "rule_id", "subject", "raised_at"),
    )

    id: str = Field(primary_key=True)
    kind: str
    """``violation``, ``camera_blind`` or ``channel_failed``."""
    dedupe_key: str = Field(unique=True)
    """Violation id, or what else makes the same situation the same alert."""
    violation_id: str | None = Field(default=None, foreign_key="violation.id", index=True)
    camera_id: str | None = None
    zone_id: str | None = None
    rule_id: str | None = None
    rule_kind: str | None = None
    """Kind of the rule that was broken; for other alerts ``kind`` again."""
    subject: str | None = None
    """Who or what broke the rule, as the violation names it."""
    lead_id: str | None = Field(default=None, index=True)
    """The alert whose conversation it joined; None: it leads one of its own."""
    leads: bool = Field(
        default=True, sa_column=Column(Boolean, nullable=False, server_default=true())
    )
    """Whether ``lead_id`` is empty; an index can use this."""
    severity: str
    state: str
    """``raised``, ``acknowledged``, ``confirmed``, ``false_positive`` or ``expired``."""
    message_key: str
    """Translation key of its sentence."""
    params: dict[str, Any] = _json()
    raised_at: datetime = _time()
    cleared_at: datetime | None = _time(nullable=True)
    """When the situation ended; the alert may still be unacknowledged."""
    acknowledged_at: datetime | None = _time(nullable=True)
    acknowledged_by: str | None = None
    decided_at: datetime | None = _time(nullable=True)
    decided_by: str | None = None
    note: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    version: int = 1
    """Goes up at every change; the page and the API's ETag use it."""


class Delivery(SQLModel, table=True):
    """The outbox: one event of one alert for one channel."""

    __table_args__ = (
        UniqueConstraint("alert_id", "channel_id", "event"),
        Index("ix_delivery_due", "state", "next_attempt_at"),
        Index("ix_delivery_channel", "channel_id", "state", "next_attempt_at", "created_at", "id"),
    )

    id: str = Field(primary_key=True)
    """Also the idempotency key that receivers see."""
    alert_id: str = Field(foreign_key="alert.id", index=True)
    channel_id: str
    event: str
    """``raised``, ``updated:2``, ``escalated:1``, ``acknowledged``, ``cleared``, ``summary:…``."""
    payload: dict[str, Any] = _json()
    state: str
    """``pending``, ``delivered``, ``dead`` or ``summarised``."""
    summary_id: str | None = Field(default=None, index=True)
    """The delivery that tells this one together with others."""
    attempts: int = 0
    created_at: datetime = _time()
    next_attempt_at: datetime = _time()
    deadline_at: datetime = _time()
    delivered_at: datetime | None = _time(nullable=True)
    last_error: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class Evidence(SQLModel, table=True):
    """One file that shows a violation."""

    __table_args__ = (
        UniqueConstraint("violation_id", "kind", "other_camera"),
        Index("ix_evidence_state_ended_at", "state", "ended_at", "id"),
    )

    id: str = Field(primary_key=True)
    violation_id: str = Field(index=True)
    """No foreign key: while the database is down the files may be ready first."""
    kind: str
    """``clip`` or ``picture``."""
    other_camera: str = ""
    """Id of the camera that made it; empty: the one that found the violation."""
    state: str
    """``ready``, ``failed``, ``deleting`` or ``deleted``."""
    path: str | None = None
    """Relative to the evidence directory."""
    sha256: str | None = None
    sidecar_sha256: str | None = None
    """Of the file beside a clip that says what it was made from: its path, ending in ``.json``."""
    size_bytes: int | None = Field(default=None, sa_type=BigInteger)
    started_at: datetime | None = _time(nullable=True)
    ended_at: datetime | None = _time(nullable=True)
    reason: str | None = None


class Coverage(SQLModel, table=True):
    """One stretch of time during which a camera was in one state."""

    __table_args__ = (UniqueConstraint("camera_id", "started_at", "state", "reason"),)

    id: int | None = Field(default=None, primary_key=True)
    camera_id: str
    state: str
    """``live``, ``degraded`` or ``blind``."""
    reason: str
    started_at: datetime = _time()
    ended_at: datetime | None = _time(nullable=True)
    """Beginning plus ``seconds``; None while it lasts, ``seconds`` is then as of the last write."""
    seconds: float = 0.0
    """Monotonic length; wall-clock jumps do not change it."""


class User(SQLModel, table=True):
    """Somebody who can sign in."""

    __tablename__ = "account"

    id: str = Field(primary_key=True)
    login: str = Field(unique=True)
    name: str
    role: str
    """``viewer``, ``operator``, ``manager`` or ``admin``."""
    password_hash: str = Field(repr=False)
    must_change_password: bool = False
    language: str | None = None
    disabled: bool = False
    created_at: datetime = _time()


class Session(SQLModel, table=True):
    """A signed-in browser; the cookie holds the token, this row its SHA-256."""

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="account.id", index=True)
    csrf_token: str = Field(repr=False)
    created_at: datetime = _time()
    last_seen_at: datetime = _time()
    expires_at: datetime = _time()


class OneTimeLogin(SQLModel, table=True):
    """A link that signs in once: first start, forgotten password. Holds the token's SHA-256."""

    __tablename__ = "one_time_login"

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="account.id", index=True)
    created_at: datetime = _time()
    expires_at: datetime = _time()
    used_at: datetime | None = _time(nullable=True)


class ApiToken(SQLModel, table=True):
    """Access for a program; only the SHA-256 of the token is kept."""

    __tablename__ = "api_token"

    id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="account.id", index=True)
    """Who made it; it acts in their name and dies with their account."""
    name: str
    token_hash: str = Field(unique=True, repr=False)
    scopes: str
    """Space-separated: ``read``, ``acknowledge``, ``configure``."""
    created_at: datetime = _time()
    expires_at: datetime | None = _time(nullable=True)
    revoked_at: datetime | None = _time(nullable=True)


class LoginAttempt(SQLModel, table=True):
    """A failed sign-in, for throttling."""

    __tablename__ = "login_attempt"

    id: int | None = Field(default=None, primary_key=True)
    login: str = Field(index=True)
    address: str = Field(index=True)
    at: datetime = _time(index=True)


class Mute(SQLModel, table=True):
    """A zone in which nothing raises an alert, because somebody works there under their lock.

    Rows are never deleted: they are the record of when a zone was not watched, and why.
    """

    id: str = Field(primary_key=True)
    zone_id: str = Field(index=True)
    """No foreign key: the record outlives the zone."""
    kind: str
    """``lockout`` or ``maintenance``."""
    person: str
    """Who works there."""
    reason: str = Field(sa_column=Column(Text, nullable=False))
    started_at: datetime = _time()
    started_by: str
    """Login of whoever muted it."""
    ends_at: datetime = _time(index=True)
    """When it ends by itself."""
    ended_at: datetime | None = _time(nullable=True)
    """When somebody ended it early."""
    ended_by: str | None = None


class Drill(SQLModel, table=True):
    """A trial of the chain from picture to siren; no violation, and counted as none."""

    id: str = Field(primary_key=True)
    camera_id: str
    """Whose settings it was run with. No foreign key: the record outlives the camera."""
    channel_id: str
    scene: str
    """The film that was played."""
    outcome: str
    """``sounded``, ``refused`` or ``failed``."""
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    engine_s: float | None = None
    siren_s: float | None = None
    total_s: float | None = None
    """Frame captured → the siren's confirmation."""
    at: datetime = _time(index=True)
    by: str


class Audit(SQLModel, table=True):
    """Who did what, when; each entry is tied to the one before it."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _time(index=True)
    actor: str
    action: str
    subject: str = Field(index=True)
    detail: dict[str, Any] = _json()
    seq: int | None = Field(default=None, unique=True)
    """Place in the chain, from 1 on without gaps; None only until its transaction ends."""
    prev_hash: str | None = None
    hash: str | None = None
    """Of the entry before, and of this one: ``safety.store.audit_hash``."""


class AuditChain(SQLModel, table=True):
    """Where the chain of the audit trail begins and ends; ``id`` is always 1."""

    __tablename__ = "audit_chain"

    id: int = Field(default=1, primary_key=True)
    seq: int = 0
    hash: str = GENESIS
    """The newest link."""
    first_seq: int = 0
    first_hash: str = GENESIS
    """The last link that is not kept any more; 0 while everything is kept."""
