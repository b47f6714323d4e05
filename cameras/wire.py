"""Frames on a stream socket: length, JSON header, optional binary body.

Layout, big-endian: 4 bytes header length, 4 bytes body length, header (one message of
``cameras.messages`` as UTF-8 JSON), body (bytes of a video packet or JPEG, may be empty).
"""

import asyncio
import struct

from pydantic import ValidationError

from cameras.messages import MESSAGES, AnyMessage
from safety.errors import WireError

MAX_HEADER_BYTES = 4 * 1024 * 1024
MAX_BODY_BYTES = 16 * 1024 * 1024
_LENGTHS = struct.Struct(">II")


def encode(message: AnyMessage, body: bytes = b"") -> bytes:
    """One frame, ready to be written."""
    header = message.model_dump_json().encode()
    return _LENGTHS.pack(len(header), len(body)) + header + body


def decode(header: bytes) -> AnyMessage:
    """The message in a frame's header.

    Raises:
        WireError: Not JSON, unknown type, wrong version or wrong fields. The stream is
            still in step: count it and read on.
    """
    try:
        return MESSAGES.validate_json(header)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WireError(
            "wire.malformed", "refused a message: {where}: {why}", where=where, why=first["msg"]
        ) from None


async def read_frame(reader: asyncio.StreamReader) -> tuple[AnyMessage, bytes]:
    """The next frame.

    Raises:
        WireError: The message is malformed (``key == "wire.malformed"``: read on) or the
            lengths are absurd (``key == "wire.out_of_step"``: close the connection).
        asyncio.IncompleteReadError: The other side closed.
    """
    header_length, body_length = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
    if header_length > MAX_HEADER_BYTES or body_length > MAX_BODY_BYTES:
        raise WireError(
            "wire.out_of_step",
            "a frame claims {header} + {body} bytes; closing the connection",
            header=header_length,
            body=body_length,
        )
    header = await reader.readexactly(header_length)
    body = await reader.readexactly(body_length) if body_length else b""
    return decode(header), body
