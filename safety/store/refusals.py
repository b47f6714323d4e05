"""Why the record refuses a request that the database itself could carry out."""

from safety.errors import AnjeonError


class NotFound(AnjeonError):
    """There is no such row."""

    def __init__(self, kind: str, row_id: str) -> None:
        super().__init__(
            "store.not_found",
            "there is no {kind} '{id}'; reload the page, it may have been removed",
            kind=kind,
            id=row_id,
        )


class Conflict(AnjeonError):
    """Somebody else changed it first, or its present state does not allow this."""


class Invalid(AnjeonError):
    """What was given cannot be used; the message says what would be."""
