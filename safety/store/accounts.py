"""People who can sign in, and what they may do."""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from sqlmodel import Session, col, select

from safety.store import audit, passwords, sessions
from safety.store.refusals import Conflict, Invalid, NotFound
from safety.store.tables import User
from safety.store.upsert import insert_new

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,62}")


class Role(StrEnum):
    """What somebody may do; each role may do all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    MANAGER = "manager"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that ``other`` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


def create_user(
    session: Session,
    *,
    login: str,
    name: str,
    role: Role,
    password: str | None,
    by: str,
    at: datetime,
    must_change_password: bool = False,
    language: str | None = None,
) -> User:
    """Add somebody.

    Args:
        session: The open transaction.
        login: What they type to sign in; upper and lower case are the same.
        name: What people call them.
        role: What they may do.
        password: None: they sign in by a one-time link and choose one.
        by: Who adds them, for the audit log.
        at: UTC.
        must_change_password: Whether they are asked for a new password at once.
        language: ``ko`` or ``en``; None: the site's.

    Raises:
        Invalid: Login, name or password cannot be used.
        Conflict: The login is taken.
    """
    login = normalised_login(login)
    if not _LOGIN.fullmatch(login):
        raise Invalid(
            "account.login_invalid",
            "the login '{login}' cannot be used; use 1 to 63 of a-z, 0-9 and . _ @ + -, "
            "beginning with a letter or digit",
            login=login[:80],
        )
    row = User(
        id=uuid4().hex,
        login=login,
        name=_checked_name(name),
        role=role.value,
        password_hash=_hash(password, login),
        must_change_password=must_change_password or password is None,
        language=language,
        created_at=at,
    )
    if not insert_new(session, row):
        raise Conflict("account.login_taken", "the login '{login}' is taken", login=login)
    detail = {"login": login, "role": role.value}
    audit.record(session, actor=by, action="account.create", subject=row.id, at=at, detail=detail)
    return get(session, row.id)


def authenticate(session: Session, login: str, password: str) -> User | None:
    """Whoever has this login and password; None for all kinds of no, after equal time.

    It takes a tenth of a second on purpose: call it in ``Database.reading()``, where that
    delays no writer. If ``passwords.outdated`` says so, call ``upgrade_hash`` afterwards.
    """
    user = by_login(session, login)
    right = passwords.matches(user.password_hash if user else None, password)
    return user if user is not None and right and not user.disabled else None


def upgrade_hash(session: Session, user_id: str, password: str) -> None:
    """Keep the right password, just used, with today's parameters.

    Raises:
        NotFound: There is no such user.
    """
    user = get(session, user_id)
    user.password_hash = passwords.hashed(password, login=user.login)
    session.flush()


def set_password(
    session: Session,
    user_id: str,
    password: str,
    *,
    by: str,
    at: datetime,
    must_change: bool = False,
    keep_session: str | None = None,
) -> User:
    """Give somebody a new password and sign out all their browsers but ``keep_session``.

    Raises:
        NotFound: There is no such user.
        Invalid: The password cannot be used.
    """
    user = get(session, user_id)
    user.password_hash = _hash(password, user.login)
    user.must_change_password = must_change
    session.flush()
    sessions.end_all(session, user_id, keep=keep_session)
    audit.record(session, actor=by, action="account.password", subject=user_id, at=at)
    return user


def set_role(session: Session, user_id: str, role: Role, *, by: str, at: datetime) -> User:
    """Change what somebody may do.

    Raises:
        NotFound: There is no such user.
        Conflict: They are the last admin.
    """
    user = get(session, user_id)
    before = user.role
    if role is not Role.ADMIN:
        _require_other_admin(session, user)
    user.role = role.value
    session.flush()
    detail = {"before": before, "after": role.value}
    audit.record(session, actor=by, action="account.role", subject=user_id, at=at, detail=detail)
    return user


def set_disabled(session: Session, user_id: str, disabled: bool, *, by: str, at: datetime) -> User:
    """Lock somebody out, at once and everywhere, or let them in again.

    Raises:
        NotFound: There is no such user.
        Conflict: They are the last admin.
    """
    user = get(session, user_id)
    if disabled:
        _require_other_admin(session, user)
        sessions.end_all(session, user_id)
    user.disabled = disabled
    session.flush()
    action = "account.disable" if disabled else "account.enable"
    audit.record(session, actor=by, action=action, subject=user_id, at=at)
    return user


def set_profile(
    session: Session, user_id: str, *, name: str, language: str | None, by: str, at: datetime
) -> User:
    """Change what somebody is called and which language they read.

    Raises:
        NotFound: There is no such user.
        Invalid: The name is empty or too long.
    """
    user = get(session, user_id)
    detail = {"before": [user.name, user.language], "after": [name, language]}
    user.name, user.language = _checked_name(name), language
    session.flush()
    audit.record(session, actor=by, action="account.profile", subject=user_id, at=at, detail=detail)
    return user


def get(session: Session, user_id: str) -> User:
    """One user.

    Raises:
        NotFound: There is none.
    """
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("user", user_id)
    return user


def by_login(session: Session, login: str) -> User | None:
    """Whoever has this login, disabled or not."""
    return session.exec(select(User).where(User.login == normalised_login(login))).first()


def list_users(session: Session) -> Sequence[User]:
    """Everybody, by login."""
    return session.exec(select(User).order_by(col(User.login))).all()


def normalised_login(login: str) -> str:
    """The login as it is kept."""
    return login.strip().casefold()


def _hash(password: str | None, login: str) -> str:
    return passwords.UNUSABLE if password is None else passwords.hashed(password, login=login)


def _checked_name(name: str) -> str:
    if not 1 <= len(name.strip()) <= 120:
        raise Invalid("account.name_length", "a name needs 1 to 120 characters")
    return name.strip()


def _require_other_admin(session: Session, user: User) -> None:
    query = select(User).where(User.role == Role.ADMIN, col(User.disabled).is_(False))
    admins = session.exec(query.with_for_update()).all()
    if [admin.id for admin in admins] == [user.id]:
        raise Conflict(
            "account.last_admin",
            "{login} is the last admin; make another one first",
            login=user.login,
        )
