"""The pictures that one frame is given to the network as."""

from collections.abc import Iterable
from dataclasses import dataclass

from cameras.lane import Lane
from cameras.regions import Region, cut
from safety.types import Frame, Picture

Waiting = tuple[Lane, Frame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One region of one frame.

    Attributes:
        width_px: The network's.
        last: It completes the frame.
    """

    lane: Lane
    frame: Frame
    region: Region
    width_px: int
    last: bool

    def picture(self) -> Picture:
        """What the network gets."""
        return cut(self.frame, self.region, self.width_px)


def pieces_of(lane: Lane, frame: Frame) -> list[Piece]:
    """The pictures that are due of this frame; asked once per frame."""
    regions = lane.gaze.due(frame)
    width_px = lane.plan.width
    return [
        Piece(lane=lane, frame=frame, region=region, width_px=width_px, last=region is regions[-1])
        for region in regions
    ]


def frames_in(pieces: Iterable[Piece]) -> list[Waiting]:
    """The frames that pieces belong to, each once, in their order."""
    frames = {id(piece.frame): (piece.lane, piece.frame) for piece in pieces}
    return list(frames.values())
