"""The newest frame wins, and what it replaced is counted."""

import numpy as np

from cameras.slot import FrameSlot
from safety.types import Frame, Picture
from tests.support.packets import instant


class Nothing:
    """A full picture that nobody asks for."""

    def rgb(self) -> Picture:
        raise AssertionError("nobody needs it")

    def crop(self, left: int, top: int, right: int, bottom: int) -> Picture:
        raise AssertionError("nobody needs it")


def frame(sequence: int) -> Frame:
    return Frame(
        camera_id="cam",
        sequence=sequence,
        captured_at=instant(sequence),
        width_px=64,
        height_px=36,
        picture=np.zeros((36, 64, 3), np.uint8),
        full=Nothing(),
    )


def test_a_new_slot_is_empty() -> None:
    slot = FrameSlot()
    assert slot.take() is None
    assert not slot.ready
    assert slot.dropped == 0


def test_the_newest_frame_wins_and_the_others_are_counted() -> None:
    slot = FrameSlot()
    for sequence in (1, 2, 3):
        slot.put(frame(sequence))
    taken = slot.take()
    assert taken is not None
    assert taken.sequence == 3
    assert slot.dropped == 2


def test_a_frame_is_taken_once_and_then_not_counted_as_dropped() -> None:
    slot = FrameSlot()
    slot.put(frame(1))
    assert slot.take() is not None
    assert slot.take() is None
    slot.put(frame(2))
    assert slot.dropped == 0


def test_whoever_waits_is_told_of_every_new_frame() -> None:
    told: list[bool] = []
    slot = FrameSlot(lambda: told.append(slot.ready))
    slot.put(frame(1))
    slot.put(frame(2))
    assert told == [True, True]
