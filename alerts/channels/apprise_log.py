"""What Apprise says of a failure, without the secrets it says it with."""

import contextvars
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

_STATUS = re.compile(r"\berror=(\d{3})\d*\b")


class Said:
    """What was logged during one call.

    Attributes:
        status: The last HTTP status of a failure; None if none was told.
    """

    def __init__(self) -> None:
        self.status: int | None = None


_listening: contextvars.ContextVar[Said | None] = contextvars.ContextVar("said", default=None)


class _Listener(logging.Filter):
    """Takes the status out of every line and drops the line: it may carry an address."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = _listening.get()
        found = _STATUS.search(record.getMessage())
        if said is not None and found:
            said.status = int(found.group(1))
        return False


_LISTENER = _Listener()


@contextmanager
def told_by_apprise() -> Iterator[Said]:
    """Listen to Apprise in this thread; nothing of it reaches our own log."""
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)
    logger.addFilter(_LISTENER)
    # What Apprise posts with writes paths into the log, and a path can be a token.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    said = Said()
    token = _listening.set(said)
    try:
        yield said
    finally:
        _listening.reset(token)
