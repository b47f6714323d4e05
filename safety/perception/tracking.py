"""Follows persons through one camera's pictures, by position and pose, in seconds.

Association in two steps, sure detections first and doubtful ones after, follows ByteTrack
(Zhang et al., ECCV 2022). Everything else is in seconds of the frames' own instants, so that
a dropped frame or another rate changes nothing but the uncertainty; see ADR 0003.
"""

import itertools
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from safety.clock import Instant
from safety.perception.tracking_affinity import affinity, overlap
from safety.perception.tracking_table import TrackTable
from safety.types import Detections, FloatArray, ObjectClass, TrackedPerson

SURE_SCORE = 0.5
"""Detections from this score on are matched first, and begin a track that counts at once."""

NEW_TRACK_SCORE = 0.3
"""Detections from this score on may begin a track; below ``SURE_SCORE`` it must be seen again."""

SHOWN_SCORE = 0.35
"""Somebody of whom no detection ever was sure counts while they average so much."""

LEAST_SCORE = 0.1
"""Detections below this score are ignored."""

LEAST_AFFINITY = 0.15
"""Affinity needed for a sure detection to continue a track."""

LEAST_AFFINITY_DOUBTFUL = 0.25
"""Affinity needed for a doubtful detection to continue a track."""

FORGET_AFTER_S = 2.0
"""A track not seen for so long is over; its id is not used again."""

FORGET_UNCONFIRMED_AFTER_S = 1.0
"""The same for a track that was seen once only, and not surely."""

SAME_PERSON_OVERLAP = 0.6
"""A detection that overlaps a tracked or surer one more than this begins no track: a double."""

_PERSON = list(ObjectClass).index(ObjectClass.PERSON)


class Tracker(Protocol):
    """Gives persons an identity over time, within one camera."""

    def update(self, detections: Detections, at: Instant) -> tuple[TrackedPerson, ...]:
        """Take one frame's detections, captured at ``at``; return the persons seen in it."""
        ...


def create_tracker(aspect: float = 16 / 9) -> Tracker:
    """A tracker for one camera.

    Args:
        aspect: Width / height of its picture.
    """
    return PoseTracker(aspect)


class PoseTracker:
    """Constant velocity, overlap and pose, two-step assignment."""

    def __init__(self, aspect: float) -> None:
        self._scale = np.array([aspect, 1.0], np.float32)
        self._tracks = TrackTable.empty()
        self._ids = itertools.count(1)
        self._updated_at: float | None = None

    def update(self, detections: Detections, at: Instant) -> tuple[TrackedPerson, ...]:
        """Take one frame's detections, captured at ``at``; return the persons seen in it."""
        now = at.monotonic
        if self._updated_at is not None:
            self._tracks.predict(now - self._updated_at)
        self._updated_at = now
        self._forget(now)
        rows = np.flatnonzero((detections.classes == _PERSON) & (detections.scores >= LEAST_SCORE))
        boxes = detections.boxes[rows].reshape(-1, 2, 2) * self._scale
        keypoints = detections.keypoints[rows].copy()
        keypoints[:, :, :2] *= self._scale
        scores = detections.scores[rows]
        track_of = self._associate(boxes, keypoints, scores, now)
        matched = np.flatnonzero(track_of >= 0)
        self._tracks.correct(
            track_of[matched], boxes[matched], keypoints[matched], scores[matched], now
        )
        born = self._newcomers(track_of, boxes, scores)
        track_of[born] = self._tracks.add(
            [next(self._ids) for _ in born],
            boxes[born],
            keypoints[born],
            scores[born],
            confirmed=scores[born] >= SURE_SCORE,
            now=now,
        )
        return self._seen(track_of, detections, rows, now)

    def _forget(self, now: float) -> None:
        tracks = self._tracks
        patience = np.where(tracks.confirmed, FORGET_AFTER_S, FORGET_UNCONFIRMED_AFTER_S)
        keep = now - tracks.seen_at <= patience
        if not keep.all():
            self._tracks = tracks.take(keep)

    def _associate(
        self, boxes: FloatArray, keypoints: FloatArray, scores: FloatArray, now: float
    ) -> NDArray[np.intp]:
        """The track's row for every detection, -1 for none."""
        track_of = np.full(len(boxes), -1, np.intp)
        if not len(boxes) or not len(self._tracks):
            return track_of
        closeness = affinity(self._tracks, boxes, keypoints, now)
        sure = scores >= SURE_SCORE
        for among, least in ((sure, LEAST_AFFINITY), (~sure, LEAST_AFFINITY_DOUBTFUL)):
            columns = np.flatnonzero(among)
            part = closeness[:, columns]
            part[part < least] = 0
            rows, chosen = linear_sum_assignment(part, maximize=True)
            good = part[rows, chosen] > 0
            track_of[columns[chosen[good]]] = rows[good]
            closeness[rows[good]] = 0
        return track_of

    def _newcomers(
        self, track_of: NDArray[np.intp], boxes: FloatArray, scores: FloatArray
    ) -> NDArray[np.intp]:
        """Which detections begin a track."""
        new = np.flatnonzero((track_of < 0) & (scores >= NEW_TRACK_SCORE))
        if not len(new):
            return new
        double = overlap(boxes[new], boxes) > SAME_PERSON_OVERLAP
        double &= (track_of >= 0) | (np.arange(len(boxes)) < new[:, None])
        return new[~double.any(axis=1)]

    def _seen(
        self, track_of: NDArray[np.intp], detections: Detections, rows: NDArray[np.intp], now: float
    ) -> tuple[TrackedPerson, ...]:
        tracks = self._tracks
        shown = np.flatnonzero(track_of >= 0)
        sure = (tracks.best >= SURE_SCORE) | (tracks.score >= SHOWN_SCORE)
        shown = shown[(tracks.confirmed & sure)[track_of[shown]]]
        track, row = track_of[shown], rows[shown]
        return tuple(
            TrackedPerson(track_id=track_id, box=box, score=score, keypoints=pose, age_s=age_s)
            for track_id, box, score, pose, age_s in zip(
                tracks.ids[track].tolist(),
                detections.boxes[row],
                detections.scores[row].tolist(),
                detections.keypoints[row],
                (now - tracks.born_at[track]).tolist(),
                strict=True,
            )
        )
