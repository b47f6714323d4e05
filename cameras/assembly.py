"""Puts the pieces of a network stream together to pictures, without waiting for the next one.

FFmpeg's own parser knows that a picture is complete only when the next one begins, one frame
interval later: 67-100 ms that a person in danger does not have. Undisturbed, FFmpeg hands over
every RTP packet's payload as it comes (start code in front of a new NAL unit, none in front of
a fragment's continuation), all pieces of a picture with the same timestamp.

What it does not hand over is RTP's mark on a picture's last packet. It is inferred: cameras cut
every picture into the same number of slices, and a slice into fragments of the same size but
for the last. The inference is checked against every picture's real end. Only where it has been
right many times in a row are pictures handed on at once, and where it is ever wrong, never
again on that connection; then they are handed on when the next one begins, like FFmpeg does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cameras.annexb import Codec, begins_sequence, is_slice, nal_kind, nal_units
from safety.clock import Instant

_START_CODES = (b"\x00\x00\x00\x01", b"\x00\x00\x01")
# Start code and unit header, which stand in front of a unit's first fragment only.
_PREFIX_BYTES: dict[Codec, int] = {"h264": 4 + 1, "h265": 4 + 2}

SLACK_BYTES = 16
"""A fragment that is shorter than the longest by less than this may still not be the last."""

TRUSTED_AFTER = 15
"""Right inferences in a row after which they are believed."""

TRUSTED_AFTER_KEY_FRAMES = 2
"""The same for key frames, which are fewer and may be cut differently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembledPicture:
    """One encoded picture.

    Attributes:
        pts: Its timestamp as the demuxer told it.
        at: When its last piece arrived.
    """

    data: bytes
    pts: int
    keyframe: bool
    at: Instant


@dataclass(slots=True)
class _Pattern:
    """How pictures of one sort have been cut so far."""

    trusted_after: int
    slices: int = 0
    right: int = 0

    @property
    def trusted(self) -> bool:
        return self.right >= self.trusted_after


@dataclass(slots=True)
class _Picture:
    """The picture that is being put together."""

    pts: int
    pieces: list[bytes] = field(default_factory=list)
    slices: int = 0
    keyframe: bool = False
    at: Instant | None = None
    thought_complete: bool = False
    handed_on: bool = False


class PictureAssembly:
    """Takes one connection's pieces in, gives its pictures out."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._picture: _Picture | None = None
        self._fragment_bytes = 0
        self._wrong = False
        self._patterns = {
            False: _Pattern(TRUSTED_AFTER),
            True: _Pattern(TRUSTED_AFTER_KEY_FRAMES),
        }

    @property
    def at_once(self) -> bool:
        """Whether pictures other than key frames are handed on as soon as they are complete."""
        return not self._wrong and self._patterns[False].trusted

    def add(self, piece: bytes, pts: int, at: Instant) -> Iterator[AssembledPicture]:
        """Take the next piece; gives the pictures known to be complete now, two at the most."""
        picture = self._picture
        if picture is None or picture.pts != pts:
            if picture is not None:
                self._learn(picture)
                yield from self._hand_on(picture)
            picture = self._picture = _Picture(pts)
        elif picture.thought_complete:
            self._note_wrong(picture)
        ends = self._append(picture, piece, at)
        pattern = self._patterns[picture.keyframe]
        picture.thought_complete = ends and 0 < pattern.slices == picture.slices
        if picture.thought_complete and pattern.trusted and not self._wrong:
            yield from self._hand_on(picture)
            picture.handed_on = True

    def _append(self, picture: _Picture, piece: bytes, at: Instant) -> bool:
        """Add the piece; whether it ends a slice, as far as its size tells."""
        picture.pieces.append(piece)
        picture.at = at
        payload_bytes = len(piece)
        if piece.startswith(_START_CODES):
            payload_bytes -= _PREFIX_BYTES[self._codec]
            for begin, _ in nal_units(piece):
                kind = nal_kind(self._codec, piece[begin])
                if is_slice(self._codec, kind):
                    picture.slices += 1
                    picture.keyframe |= begins_sequence(self._codec, kind)
        whole = payload_bytes + SLACK_BYTES < self._fragment_bytes
        self._fragment_bytes = max(self._fragment_bytes, payload_bytes)
        return whole and picture.slices > 0

    def _hand_on(self, picture: _Picture) -> Iterator[AssembledPicture]:
        if picture.pieces and picture.at is not None:
            yield AssembledPicture(
                data=b"".join(picture.pieces),
                pts=picture.pts,
                keyframe=picture.keyframe and not picture.handed_on,
                at=picture.at,
            )
        picture.pieces = []

    def _learn(self, picture: _Picture) -> None:
        """Compare the inference with where the picture really ended."""
        pattern = self._patterns[picture.keyframe]
        if picture.slices != pattern.slices:
            pattern.slices, pattern.right = picture.slices, 0
        elif picture.thought_complete:
            pattern.right += 1

    def _note_wrong(self, picture: _Picture) -> None:
        """The picture goes on although it was thought complete."""
        self._patterns[picture.keyframe].right = 0
        self._wrong = self._wrong or picture.handed_on
