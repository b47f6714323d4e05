"""Key frames always come with the parameter sets that a decoder needs to start."""

import pytest

from cameras.annexb import Codec, ParameterSets, parameter_sets

START = b"\x00\x00\x00\x01"
SHORT_START = b"\x00\x00\x01"

# First byte(s) of the NAL unit header: ITU-T H.264 table 7-1 and H.265 table 7-1.
SPS, PPS, SEI, AUD, IDR = b"\x67S", b"\x68P", b"\x06I", b"\x09\xf0", b"\x65slice"
H265_SETS = b"\x40\x01V", b"\x42\x01S", b"\x44\x01P"
H265_IDR = b"\x26\x01slice"


def units(*nal_units: bytes, start: bytes = START) -> bytes:
    return b"".join(start + unit for unit in nal_units)


@pytest.mark.parametrize(
    ("codec", "data", "expected"),
    [
        ("h264", units(SPS, PPS, IDR), units(SPS, PPS)),
        ("h264", units(AUD, SPS, PPS, SEI, IDR), units(SPS, PPS)),
        ("h264", units(SPS, PPS, IDR, start=SHORT_START), units(SPS, PPS)),
        ("h264", units(IDR), b""),
        ("h264", units(IDR, SPS, PPS), b""),
        ("h265", units(*H265_SETS, H265_IDR), units(*H265_SETS)),
        ("h265", units(H265_IDR), b""),
        ("h264", b"", b""),
        ("h264", START, b""),
        ("h264", b"not a stream", b""),
    ],
)  # fmt: skip
def test_parameter_sets_are_found_in_front_of_the_first_slice(
    codec: Codec, data: bytes, expected: bytes
) -> None:
    assert parameter_sets(codec, data) == expected


def test_a_key_frame_without_parameter_sets_gets_those_of_the_session() -> None:
    sets = ParameterSets("h264", units(SPS, PPS))
    assert sets.complete(units(IDR)) == units(SPS, PPS, IDR)


def test_a_key_frame_with_its_own_is_left_alone_and_they_are_remembered() -> None:
    sets = ParameterSets("h264", units(SPS, PPS))
    newer = units(SPS + b"2", PPS + b"2")
    own = newer + units(IDR)
    assert sets.complete(own) == own
    assert sets.complete(units(IDR)) == newer + units(IDR)
