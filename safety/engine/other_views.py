"""Other cameras that see the place of a violation: each is asked for its clip of the same time."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from sqlmodel import Session

from cameras.messages import ClipRequest
from cameras.sidecar import origin_of
from safety.engine.doubles import track_of
from safety.engine.recorder import Entry, Recorder
from safety.engine.site import EngineSite
from safety.store import evidence
from safety.types import Phase, Violation
from zones.calibration import FloorCalibration

PERSON_M: Final = 1.7
LEAST_HEIGHT: Final = 0.04
"""Who looks smaller than this share of the picture's height is too far away to show anything."""

Place = tuple[float, float]
PlaceOf = Callable[[str, int], Place | None]
"""Camera and track id → where that is on the plan, metres; None if it is not known."""


class OtherViews:
    """Asks for clips, and has it on record whom it asked: who never answers is named.

    A violation that another one stands for is not asked about: its camera keeps its own clip.

    Args:
        site: The configuration in force, asked anew every time.
        place_of: Where a camera's track is on the plan.
        first_of: The violation that stands for this one; itself if none does.
        send: Hands a request to the shard that runs the camera; whether there is one.
    """

    def __init__(
        self,
        *,
        recorder: Recorder,
        site: Callable[[], EngineSite],
        place_of: PlaceOf,
        first_of: Callable[[str], str],
        send: Callable[[ClipRequest], bool],
    ) -> None:
        self._recorder = recorder
        self._site = site
        self._place_of = place_of
        self._first_of = first_of
        self._send = send
        self._asked: set[str] = set()

    def violation(self, violation: Violation) -> None:
        """Take a report of a violation; when it opens, ask the others."""
        if violation.phase is Phase.CLOSED:
            self._asked.discard(violation.id)
            return
        stands_for_itself = self._first_of(violation.id) == violation.id
        if violation.phase is not Phase.OPENED or violation.shadow or not stands_for_itself:
            return
        if violation.id in self._asked:
            return
        self._asked.add(violation.id)
        for camera_id in self.cameras(violation):
            sent = self._send(self._request(camera_id, violation))
            self._note(violation.id, camera_id, evidence.ASKED if sent else "shard_lost")

    def cameras(self, violation: Violation) -> tuple[str, ...]:
        """Other calibrated cameras in whose picture the place of the violation is."""
        calibrations = self._site().calibrations
        own = calibrations.get(violation.camera_id)
        place = None if own is None else self._place(violation, own)
        if place is None:
            return ()
        return tuple(
            camera_id
            for camera_id, calibration in calibrations.items()
            if camera_id != violation.camera_id and sees(calibration, place)
        )

    def _place(self, violation: Violation, calibration: FloorCalibration) -> Place | None:
        track_id = track_of(violation)
        known = None if track_id is None else self._place_of(violation.camera_id, track_id)
        if known is not None or violation.box is None:
            return known
        left, _, right, bottom = violation.box
        (place,) = calibration.places(np.array([((left + right) / 2, bottom)]))
        return (float(place[0]), float(place[1])) if np.isfinite(place).all() else None

    def _request(self, camera_id: str, violation: Violation) -> ClipRequest:
        site = self._site()
        finder = next(each for each in site.spec.cameras if each.id == violation.camera_id)
        found_with = origin_of(violation, site.part(frozenset({violation.camera_id})))
        return ClipRequest(
            camera_id=camera_id,
            violation=violation,
            before_s=finder.evidence_before_s,
            after_s=finder.evidence_after_s,
            found_with=dict(found_with),
        )

    def _note(self, violation_id: str, camera_id: str, reason: str) -> None:
        write = partial(_save, violation_id, camera_id, reason)
        self._recorder.put(Entry(key=("asked", violation_id, camera_id), write=write))


def sees(calibration: FloorCalibration, place: Place) -> bool:
    """Whether a camera's picture shows who stands at a place of the plan, large enough to see."""
    places = np.array([place])
    (point,) = calibration.to_picture(places)
    if not np.isfinite(point).all() or not ((point >= 0) & (point <= 1)).all():
        return False
    (height,) = calibration.heights(places, PERSON_M)
    return bool(np.isnan(height) or height >= LEAST_HEIGHT)


def _save(violation_id: str, camera_id: str, reason: str, session: Session) -> None:
    evidence.failed(
        session, violation_id=violation_id, kind="clip", reason=reason, other_camera=camera_id
    )
