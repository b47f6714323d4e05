"""Signed-in browsers and one-time links; the database holds only hashes of their tokens."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete
from sqlmodel import Session, col, select

from safety.store.tables import OneTimeLogin, User
from safety.store.tables import Session as SessionRow

IDLE = timedelta(hours=12)
"""A browser that asks for nothing for this long is signed out."""

LIFETIME = timedelta(days=7)
"""Every browser is signed out after this long."""

ONE_TIME = timedelta(minutes=15)
"""How long a one-time link works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A browser that is signed in, and who sits there."""

    session: SessionRow
    user: User


def token_hash(token: str) -> str:
    """What the database keeps of a token: tokens are random, so a plain SHA-256 will do."""
    return hashlib.sha256(token.encode()).hexdigest()


def start(session: Session, *, user_id: str, at: datetime) -> tuple[str, SessionRow]:
    """Sign a browser in; returns the token for its cookie, and the row."""
    token = secrets.token_urlsafe(32)
    row = SessionRow(
        id=token_hash(token),
        user_id=user_id,
        csrf_token=secrets.token_urlsafe(32),
        created_at=at,
        last_seen_at=at,
        expires_at=at + LIFETIME,
    )
    session.add(row)
    session.flush()
    return token, row


def find(session: Session, token: str, *, now: datetime) -> SignedIn | None:
    """The browser with this token, unless it or its user may no longer come in."""
    query = (
        select(SessionRow, User)
        .join(User, col(User.id) == col(SessionRow.user_id))
        .where(
            SessionRow.id == token_hash(token),
            col(SessionRow.expires_at) > now,
            col(SessionRow.last_seen_at) > now - IDLE,
            col(User.disabled).is_(False),
        )
    )
    found = session.exec(query).first()
    return SignedIn(session=found[0], user=found[1]) if found else None


def touch(session: Session, session_id: str, *, now: datetime) -> None:
    """The browser asked for something; call it once a minute at most, it writes."""
    row = session.get(SessionRow, session_id)
    if row is not None:
        row.last_seen_at = now
        session.flush()


def end(session: Session, session_id: str) -> None:
    """Sign this browser out."""
    _delete(session, col(SessionRow.id) == session_id)


def end_all(session: Session, user_id: str, *, keep: str | None = None) -> None:
    """Sign out all browsers of somebody, except the session ``keep``."""
    _delete(session, col(SessionRow.user_id) == user_id, col(SessionRow.id) != (keep or ""))


def purge(session: Session, *, now: datetime) -> None:
    """Forget sessions and one-time links that have expired."""
    _delete(session, col(SessionRow.expires_at) <= now)
    _delete(session, col(SessionRow.last_seen_at) <= now - IDLE)
    session.connection().execute(delete(OneTimeLogin).where(col(OneTimeLogin.expires_at) <= now))
    session.expire_all()


def create_one_time_login(session: Session, *, user_id: str, at: datetime) -> str:
    """A token that signs this person in once, within ``ONE_TIME``; earlier ones stop working."""
    session.flush()
    session.connection().execute(delete(OneTimeLogin).where(col(OneTimeLogin.user_id) == user_id))
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeLogin(id=token_hash(token), user_id=user_id, created_at=at, expires_at=at + ONE_TIME)
    )
    session.flush()
    return token


def use_one_time_login(session: Session, token: str, *, now: datetime) -> User | None:
    """Whoever this token signs in; None if it is unknown, used, expired or they are disabled."""
    query = (
        select(OneTimeLogin, User)
        .join(User, col(User.id) == col(OneTimeLogin.user_id))
        .where(
            OneTimeLogin.id == token_hash(token),
            col(OneTimeLogin.used_at).is_(None),
            col(OneTimeLogin.expires_at) > now,
            col(User.disabled).is_(False),
        )
        .with_for_update()
    )
    found = session.exec(query).first()
    if found is None:
        return None
    found[0].used_at = now
    session.flush()
    return found[1]


def _delete(session: Session, *conditions: ColumnElement[bool]) -> None:
    session.flush()
    session.connection().execute(delete(SessionRow).where(*conditions))
    session.expire_all()
