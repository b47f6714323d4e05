"""Access for programs: tokens with scopes, kept as hashes, acting for whoever made them."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlmodel import Session, col, or_, select

from safety.store import audit
from safety.store.refusals import Invalid, NotFound
from safety.store.sessions import token_hash
from safety.store.tables import ApiToken, User

SCOPES = ("read", "acknowledge", "configure")
"""All scopes, mildest first."""

_PREFIX = "anjeon_"
"""Lets secret scanners find tokens that were published by mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """A program with a valid token, and the person it acts for."""

    token: ApiToken
    user: User

    @property
    def scopes(self) -> frozenset[str]:
        """What the token may do."""
        return frozenset(self.token.scopes.split())


def create(
    session: Session,
    *,
    user: User,
    name: str,
    scopes: Collection[str],
    at: datetime,
    expires_at: datetime | None = None,
) -> tuple[str, ApiToken]:
    """Make a token; returns it, to be shown once and never again, and its row.

    Raises:
        Invalid: No name, no scope or an unknown one.
    """
    if not 1 <= len(name.strip()) <= 120:
        raise Invalid("token.name_length", "a token needs a name of 1 to 120 characters")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Invalid(
            "token.scopes",
            "a token needs one or more of the scopes {scopes}",
            scopes=", ".join(SCOPES),
        )
    token = _PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        id=uuid4().hex,
        user_id=user.id,
        name=name.strip(),
        token_hash=token_hash(token),
        scopes=" ".join(scope for scope in SCOPES if scope in scopes),
        created_at=at,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    detail = {"name": row.name, "scopes": row.scopes}
    audit.record(
        session, actor=user.login, action="token.create", subject=row.id, at=at, detail=detail
    )
    return token, row


def find(session: Session, token: str, *, now: datetime) -> Bearer | None:
    """The holder of this token, unless it is revoked or expired or its maker is disabled."""
    query = (
        select(ApiToken, User)
        .join(User, col(User.id) == col(ApiToken.user_id))
        .where(
            ApiToken.token_hash == token_hash(token),
            col(ApiToken.revoked_at).is_(None),
            or_(col(ApiToken.expires_at).is_(None), col(ApiToken.expires_at) > now),
            col(User.disabled).is_(False),
        )
    )
    found = session.exec(query).first()
    return Bearer(token=found[0], user=found[1]) if found else None


def revoke(session: Session, token_id: str, *, by: str, at: datetime) -> ApiToken:
    """The token stops working; revoking it again changes nothing.

    Raises:
        NotFound: There is no such token.
    """
    row = session.get(ApiToken, token_id)
    if row is None:
        raise NotFound("token", token_id)
    if row.revoked_at is None:
        row.revoked_at = at
        session.flush()
        audit.record(session, actor=by, action="token.revoke", subject=token_id, at=at)
    return row


def list_tokens(session: Session, *, user_id: str | None = None) -> Sequence[ApiToken]:
    """Tokens that are not revoked, newest first; of one person, or everybody's."""
    query = select(ApiToken).where(col(ApiToken.revoked_at).is_(None))
    if user_id is not None:
        query = query.where(ApiToken.user_id == user_id)
    newest_first = col(ApiToken.created_at).desc(), col(ApiToken.id)
    return session.exec(query.order_by(*newest_first)).all()
