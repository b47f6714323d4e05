"""Reading what came over the network: strict JSON, pointers into it, times."""

import json
import math
from datetime import UTC, datetime
from typing import Any

from zones.feeds.port import Refusal

MAX_BYTES = 256 * 1024
"""A message that is larger is not read."""


class Refused(Exception):
    """A message, or a part of it, cannot be used.

    Attributes:
        reason: What it is counted as.
        detail: In words.
    """

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def parse_json(payload: bytes) -> Any:
    """The JSON in a message.

    Raises:
        Refused: It is none, is too large, or has numbers that are none (NaN, Infinity, 1e999).
    """
    if len(payload) > MAX_BYTES:
        raise Refused("too_large", f"{len(payload)} bytes; at most {MAX_BYTES} are read")
    try:
        return json.loads(payload, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Refused("not_json", str(error)[:200] or type(error).__name__) from None


def at_pointer(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901); an empty pointer is the whole document.

    Raises:
        Refused: There is nothing.
    """
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isascii() and key.isdigit():
            if int(key[:9]) >= len(document):
                raise Refused("schema", f"there is no item {key[:9]} on the way to {pointer}")
            document = document[int(key[:9])]
        else:
            raise Refused("schema", f"there is nothing at {pointer}")
    return document


def unix_time(value: object) -> float:
    """Unix seconds from an ISO 8601 text, Unix seconds or milliseconds.

    Raises:
        Refused: It is no time.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused("wrong_type", f"{str(value)[:80]!r} is no time")
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            raise Refused("wrong_type", f"{value[:80]!r} is no ISO 8601 time") from None
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    seconds = value / 1000 if abs(value) > 1e11 else float(value)
    if not (math.isfinite(seconds) and 0 <= seconds < 1e11):
        raise Refused("absurd", f"{value!r} is no time")
    return seconds


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large")
    return value
