"""Browsers that are told of alerts by web push: whose they are, and where they are reached."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from uuid import uuid4

from sqlmodel import Session, col, delete, select

from safety.store import audit
from safety.store.push_tables import PushSubscription
from safety.store.refusals import Invalid
from safety.store.tables import User

MOST = 10
"""Browsers of one person; the oldest gives way."""

_KEY_BYTES, _AUTH_BYTES = 65, 16


def subscribe(
    session: Session, *, user_id: str, endpoint: str, p256dh: str, auth: str, by: str, at: datetime
) -> PushSubscription:
    """Tell this browser from now on; a browser belongs to whoever subscribed last.

    Raises:
        Invalid: It is no subscription of a browser.
    """
    if not _is_address(endpoint) or _size(p256dh) != _KEY_BYTES or _size(auth) != _AUTH_BYTES:
        raise Invalid("push.not_a_subscription", "this is no push subscription of a browser")
    session.exec(delete(PushSubscription).where(col(PushSubscription.endpoint) == endpoint))
    of_user = col(PushSubscription.user_id) == user_id
    newest_first = col(PushSubscription.created_at).desc(), col(PushSubscription.id)
    known = session.exec(select(PushSubscription).where(of_user).order_by(*newest_first)).all()
    for row in known[MOST - 1 :]:
        session.delete(row)
    row = PushSubscription(
        id=uuid4().hex,
        user_id=user_id,
        endpoint=endpoint,
        p256dh=p256dh,
        auth=auth,
        created_at=at,
    )
    session.add(row)
    session.flush()
    audit.record(session, actor=by, action="push.subscribe", subject=row.id, at=at)
    return row


def unsubscribe(session: Session, *, user_id: str, endpoint: str, by: str, at: datetime) -> bool:
    """Tell this browser no more; False if it was somebody else's, or none."""
    mine = col(PushSubscription.user_id) == user_id, col(PushSubscription.endpoint) == endpoint
    row = session.exec(select(PushSubscription).where(*mine)).first()
    if row is None:
        return False
    session.delete(row)
    session.flush()
    audit.record(session, actor=by, action="push.unsubscribe", subject=row.id, at=at)
    return True


def forget(session: Session, subscription_id: str) -> None:
    """The browser wants nothing any more: its push service says so."""
    session.exec(delete(PushSubscription).where(col(PushSubscription.id) == subscription_id))


def subscriptions(session: Session) -> Sequence[PushSubscription]:
    """The browsers of everybody who may sign in."""
    query = select(PushSubscription).join(User, col(User.id) == col(PushSubscription.user_id))
    allowed = query.where(col(User.disabled).is_(False))
    return session.exec(allowed.order_by(col(PushSubscription.created_at))).all()


def _is_address(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    return len(endpoint) <= 1000 and parts.scheme in {"https", "http"} and bool(parts.hostname)


def _size(encoded: str) -> int:
    try:
        return len(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, binascii.Error):
        return -1
