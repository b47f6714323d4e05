"""Follows forklifts and mobile robots through one camera's pictures."""

from collections import Counter

import numpy as np

from safety.clock import Instant
from safety.perception.tracking import FORGET_AFTER_S, Follower
from safety.types import Detections, ObjectClass, SeenVehicle

VEHICLES = (ObjectClass.FORKLIFT, ObjectClass.AMR)

_CLASSES = list(ObjectClass)
_VEHICLE_ROWS = [_CLASSES.index(kind) for kind in VEHICLES]


class VehicleTracker:
    """Position and velocity in the picture, as for persons, and a vote on what kind it is.

    A forklift that the network takes for a robot in single frames stays the same vehicle and
    stays a forklift.
    """

    def __init__(self, aspect: float) -> None:
        """Start with nothing followed; ``aspect`` is the picture's width / height."""
        self._follower = Follower(aspect)
        self._votes: dict[int, Counter[ObjectClass]] = {}
        self._seen_at: dict[int, float] = {}

    def update(self, detections: Detections, at: Instant) -> tuple[SeenVehicle, ...]:
        """Take one frame's detections, captured at ``at``; return the vehicles seen in it."""
        rows = np.flatnonzero(np.isin(detections.classes, _VEHICLE_ROWS))
        scores = detections.scores[rows]
        blind = np.zeros((len(rows), 17, 3), np.float32)
        followed = self._follower.update(detections.boxes[rows], scores, blind, at)
        self._forget(at.monotonic)
        seen = []
        for row, track_id, age_s in zip(
            rows[followed.rows].tolist(),
            followed.ids.tolist(),
            followed.ages_s.tolist(),
            strict=True,
        ):
            score = float(detections.scores[row])
            kind = _CLASSES[int(detections.classes[row])]
            seen.append(
                SeenVehicle(
                    track_id=track_id,
                    kind=self._vote(track_id, kind, score, at.monotonic),
                    box=detections.boxes[row],
                    score=score,
                    age_s=age_s,
                )
            )
        return tuple(seen)

    def _vote(self, track_id: int, kind: ObjectClass, score: float, now: float) -> ObjectClass:
        self._seen_at[track_id] = now
        votes = self._votes.setdefault(track_id, Counter())
        votes[kind] += round(1000 * score)
        return votes.most_common(1)[0][0]

    def _forget(self, now: float) -> None:
        for track_id in [t for t, at in self._seen_at.items() if now - at > FORGET_AFTER_S]:
            del self._seen_at[track_id], self._votes[track_id]
