"""Forged requests: another site must not be able to act with somebody's cookie."""

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from dashboard.errors import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN_HEADER = "x-csrf-token"  # noqa: S105 - a name, not a secret
TOKEN_FIELD = "csrf_token"  # noqa: S105

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def check_origin(request: Request) -> None:
    """Refuse what a browser says comes from another site.

    Programs send neither header; they have no cookie of somebody else's either.

    Raises:
        Forbidden: It comes from elsewhere.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise _forged()
    origin = request.headers.get("origin")
    if origin is None:
        return
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or parts.netloc != request.headers.get("host"):
        raise _forged()


async def check_token(request: Request, expected: str) -> None:
    """Refuse a request without the session's token in header or form.

    Raises:
        Forbidden: No token, or a wrong one.
    """
    sent = request.headers.get(TOKEN_HEADER)
    if sent is None and request.headers.get("content-type", "").startswith(_FORM_TYPES):
        field = (await request.form()).get(TOKEN_FIELD)
        sent = field if isinstance(field, str) else None
    if not sent or not hmac.compare_digest(sent.encode(), expected.encode()):
        raise _forged()


def _forged() -> Forbidden:
    return Forbidden(
        "web.forged", "this request does not come from our own page; load the page again"
    )
