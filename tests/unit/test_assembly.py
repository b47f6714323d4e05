"""Pictures leave as soon as they are complete, and never in pieces where that cannot be told."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from cameras.annexb import Codec
from cameras.assembly import TRUSTED_AFTER, AssembledPicture, PictureAssembly
from tests.support.packets import instant

FRAGMENT = 1_000
START = b"\x00\x00\x00\x01"
HEADERS: dict[Codec, dict[bool, bytes]] = {
    "h264": {True: b"\x65", False: b"\x41"},
    "h265": {True: b"\x26\x01", False: b"\x02\x01"},
}
Pieces = list[bytes]


def slice_pieces(codec: Codec, size: int, *, keyframe: bool) -> Pieces:
    """One slice as the demuxer hands it over, cut into fragments of ``FRAGMENT`` bytes."""
    body = bytes([0xAA]) * size
    first = START + HEADERS[codec][keyframe] + body[:FRAGMENT]
    return [first, *(body[at : at + FRAGMENT] for at in range(FRAGMENT, size, FRAGMENT))]


def picture(*sizes: int, keyframe: bool = False, codec: Codec = "h264") -> Pieces:
    return [p for size in sizes for p in slice_pieces(codec, size, keyframe=keyframe)]


def fed(pictures: Iterable[Pieces], codec: Codec = "h264") -> list[tuple[int, AssembledPicture]]:
    """What came out, each with the number of the picture whose pieces were going in."""
    assembly = PictureAssembly(codec)
    out = []
    for number, pieces in enumerate(pictures):
        for part, piece in enumerate(pieces):
            at = instant(number + part / 1_000)
            out += [(number, done) for done in assembly.add(piece, number, at)]
    return out


def at_once(out: list[tuple[int, AssembledPicture]]) -> set[int]:
    """Pictures that left before the next one began."""
    return {done.pts for number, done in out if number == done.pts}


def test_at_first_a_picture_leaves_when_the_next_begins() -> None:
    out = fed([picture(2_500, keyframe=True), picture(1_200), picture(1_300)])
    assert [(number, done.pts) for number, done in out] == [(1, 0), (2, 1)]
    assert [done.keyframe for _, done in out] == [True, False]
    assert out[0][1].data == b"".join(picture(2_500, keyframe=True))


def test_its_time_is_when_its_last_piece_came_whenever_it_leaves() -> None:
    (_, done), *_ = fed([picture(2_500, keyframe=True), picture(1_200)])
    assert done.at == instant(0.002)


def test_once_the_pattern_is_known_a_picture_leaves_with_its_last_piece() -> None:
    for codec in ("h264", "h265"):
        out = fed([picture(1_000 + 37 * n, 1_700, codec=codec) for n in range(60)], codec)
        assert at_once(out) >= set(range(TRUSTED_AFTER + 2, 59))
        assert [done.pts for _, done in out] == sorted(done.pts for _, done in out)


def test_key_frames_have_a_pattern_of_their_own() -> None:
    film = [
        picture(4_100, 3_300, 5_200, keyframe=True) if n % 10 == 0 else picture(1_500)
        for n in range(80)
    ]
    out = fed(film)
    assert at_once(out) >= set(range(40, 79))
    assert all(done.data == b"".join(film[done.pts]) for _, done in out)


def test_where_the_number_of_slices_varies_nothing_is_inferred() -> None:
    out = fed([picture(*[1_500] * (1 + n % 3)) for n in range(60)])
    assert at_once(out) == set()


def test_where_fragments_are_of_even_size_nothing_is_inferred() -> None:
    evenly = [[START + b"\x41" + bytes(600), bytes(600), bytes(599)] for _ in range(60)]
    evenly[0] = picture(5_000, keyframe=True)
    out = fed(evenly)
    assert at_once(out) == set()
    assert all(done.data == b"".join(evenly[done.pts]) for _, done in out)


def test_after_one_wrong_inference_it_waits_for_ever() -> None:
    film = [picture(1_500) for _ in range(100)]
    film[50] = picture(1_500, 1_500)
    out = fed(film)
    assert at_once(out) & set(range(51, 100)) == set()
    rest = b"".join(done.data for _, done in out if done.pts == 50)
    assert rest == b"".join(film[50])


def test_a_last_fragment_that_is_nearly_whole_waits_for_the_next_picture() -> None:
    film = [picture(1_500) for _ in range(60)]
    film[40] = picture(1_995)
    out = fed(film)
    assert 40 not in at_once(out)
    assert 41 in at_once(out)
    assert [done.pts for _, done in out if done.pts == 40] == [40]


@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(st.integers(1, 4_000), min_size=1, max_size=3)),
        max_size=80,
    ),
    st.sampled_from(["h264", "h265"]),
)
def test_nothing_is_lost_or_put_out_of_order(
    shapes: list[tuple[bool, list[int]]], codec: Codec
) -> None:
    film = [picture(*sizes, keyframe=keyframe, codec=codec) for keyframe, sizes in shapes]
    out = fed(film, codec)
    sent = b"".join(piece for pieces in film for piece in pieces)
    received = b"".join(done.data for _, done in out)
    assert sent.startswith(received)
    assert len(sent) - len(received) <= sum(len(piece) for piece in film[-1]) if film else True
