"""H.264 and H.265 in Annex B: start codes, parameter sets, key frames one can start from."""

from collections.abc import Iterator
from typing import Literal

Codec = Literal["h264", "h265"]
"""The two codecs that cameras are read in."""

_START_CODE = b"\x00\x00\x01"
_H264_PARAMETER_SETS = frozenset({7, 8})  # SPS, PPS: ITU-T H.264 table 7-1
_H265_PARAMETER_SETS = frozenset({32, 33, 34})  # VPS, SPS, PPS: ITU-T H.265 table 7-1


def parameter_sets(codec: Codec, data: bytes) -> bytes:
    """The parameter sets in front of a packet's first slice, each with a start code; may be empty.

    Args:
        codec: How ``data`` is coded.
        data: One access unit in Annex B.
    """
    wanted = _H264_PARAMETER_SETS if codec == "h264" else _H265_PARAMETER_SETS
    found = []
    for begin, end in nal_units(data):
        kind = nal_kind(codec, data[begin])
        if is_slice(codec, kind):
            break
        if kind in wanted:
            found.append(b"\x00" + _START_CODE + data[begin:end].rstrip(b"\x00"))
    return b"".join(found)


class ParameterSets:
    """Puts the stream's parameter sets in front of key frames that come without them.

    Cameras differ: some send them with every key frame, some only once, in the session's
    description. A clip or a viewer that begins at a key frame needs them there.

    Args:
        codec: How the packets are coded.
        known: Parameter sets known from the session's description, Annex B; may be empty.
    """

    def __init__(self, codec: Codec, known: bytes = b"") -> None:
        self._codec = codec
        self._known = parameter_sets(codec, known)

    def complete(self, data: bytes) -> bytes:
        """The key frame with parameter sets in front; those of its own are remembered."""
        own = parameter_sets(self._codec, data)
        if own:
            self._known = own
            return data
        return self._known + data


def nal_units(data: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end of every NAL unit, without start code."""
    begin = data.find(_START_CODE)
    while begin >= 0:
        begin += len(_START_CODE)
        following = data.find(_START_CODE, begin)
        if begin < len(data):
            yield begin, following if following >= 0 else len(data)
        begin = following


def nal_kind(codec: Codec, header: int) -> int:
    """The unit's type, from the first byte of its header."""
    return header & 0x1F if codec == "h264" else (header >> 1) & 0x3F


def is_slice(codec: Codec, kind: int) -> bool:
    """Whether a unit of this type holds (part of) a picture."""
    return 1 <= kind <= 5 if codec == "h264" else kind < 32


def begins_sequence(codec: Codec, kind: int) -> bool:
    """Whether a slice of this type is part of a picture that decoding can start with."""
    return kind == 5 if codec == "h264" else 16 <= kind <= 21
