"""What Apprise says of a failure, without the secrets it says it with."""

import contextvars
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

_STATUS = re.compile(r"\berror=(\d{3})\b")


class Said:
    """What was logged during one call.

    Attributes:
        status: The last HTTP status of a failure; None if none was told.
    """

    def __init__(self) -> None:
        self.status: int | None = None


_listening: contextvars.ContextVar[Said | None] = contextvars.ContextVar("said", default=None)


class _Listener(logging.Handler):
    """Takes the status out of every line and drops the line: it may carry an address."""

    def emit(self, record: logging.LogRecord) -> None:
        said = _listening.get()
        found = _STATUS.search(record.getMessage())
        if said is not None and found:
            said.status = int(found.group(1))


@contextmanager
def told_by_apprise() -> Iterator[Said]:
    """Listen to Apprise in this thread; nothing of it reaches our own log."""
    logger = logging.getLogger("apprise")
    if not any(isinstance(handler, _Listener) for handler in logger.handlers):
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        logger.addHandler(_Listener())
    said = Said()
    token = _listening.set(said)
    try:
        yield said
    finally:
        _listening.reset(token)
