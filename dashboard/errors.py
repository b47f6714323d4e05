"""What a page or the API answers when it cannot do what was asked."""

from safety.errors import AnjeonError


class WebError(AnjeonError):
    """An answer other than success, with its HTTP status."""

    status = 400

    def __init__(
        self, key: str, message: str, *, headers: dict[str, str] | None = None, **params: object
    ) -> None:
        super().__init__(key, message, **params)
        self.headers = headers or {}


class BadRequest(WebError):
    """The request makes no sense as it stands."""


class NotSignedIn(WebError):
    """Nobody is signed in, or the token is not valid."""

    status = 401

    def __init__(self) -> None:
        super().__init__("web.not_signed_in", "sign in first, or send a valid API token")


class Forbidden(WebError):
    """Signed in, but not allowed to do this."""

    status = 403


class NotFound(WebError):
    """There is no such thing (any more)."""

    status = 404

    def __init__(self) -> None:
        super().__init__("web.not_found", "there is nothing at this address")


class Conflict(WebError):
    """It has changed in the meantime, or it is still in use."""

    status = 409


class PreconditionFailed(WebError):
    """``If-Match`` names another version than the present one."""

    status = 412

    def __init__(self) -> None:
        super().__init__(
            "web.changed_meanwhile", "somebody changed this meanwhile; load it again and repeat"
        )


class PreconditionRequired(WebError):
    """An edit without ``If-Match`` could overwrite somebody else's."""

    status = 428

    def __init__(self) -> None:
        super().__init__(
            "web.if_match_missing", "send If-Match with the ETag that you have read, or *"
        )


class TooManyRequests(WebError):
    """Too many failed attempts to sign in."""

    status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "web.too_many_attempts",
            "too many failed attempts; wait {seconds} seconds and try again",
            headers={"retry-after": str(retry_after_s)},
            seconds=retry_after_s,
        )


class UnsupportedMediaType(WebError):
    """The body is of a kind that this route does not read."""

    status = 415


class Unprocessable(WebError):
    """The values are not acceptable; the message says which and why."""

    status = 422
