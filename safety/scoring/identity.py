"""How well identities are kept: IDF1 and HOTA.

IDF1: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera
Tracking", 2016. HOTA: Luiten et al., "HOTA: A Higher Order Metric for Evaluating
Multi-Object Tracking", 2021.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from safety.types import IntArray

Overlaps = NDArray[np.float64]

_ALPHAS = np.arange(0.05, 0.99, 0.05)
_SAME = 0.5
"""Overlap from which IDF1 takes a box for the person's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One frame: who is there, which identities were reported, and how they overlap.

    Attributes:
        people: (N,) numbers of the people.
        tracks: (M,) reported identities.
        overlaps: (N, M) intersection over union.
    """

    people: IntArray
    tracks: IntArray
    overlaps: Overlaps


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityScore:
    """Both scores, 0-1; 1 also where there was nobody and nobody was reported."""

    idf1: float
    hota: float


def score_identities(steps: Sequence[Step]) -> IdentityScore:
    """Score a whole sequence."""
    people = _numbering([step.people for step in steps])
    tracks = _numbering([step.tracks for step in steps])
    shown = sum(len(step.people) for step in steps)
    reported = sum(len(step.tracks) for step in steps)
    if not shown and not reported:
        return IdentityScore(idf1=1.0, hota=1.0)
    if not shown or not reported:
        return IdentityScore(idf1=0.0, hota=0.0)
    rows = [np.array([people[int(p)] for p in step.people], np.int64) for step in steps]
    columns = [np.array([tracks[int(t)] for t in step.tracks], np.int64) for step in steps]
    overlaps = [step.overlaps for step in steps]
    shape = len(people), len(tracks)
    return IdentityScore(
        idf1=_idf1(rows, columns, overlaps, shape, shown + reported),
        hota=_hota(rows, columns, overlaps, shape),
    )


def _numbering(identities: Sequence[IntArray]) -> dict[int, int]:
    known = sorted({int(i) for frame in identities for i in frame})
    return {identity: number for number, identity in enumerate(known)}


def _idf1(
    rows: list[IntArray],
    columns: list[IntArray],
    overlaps: list[Overlaps],
    shape: tuple[int, int],
    boxes: int,
) -> float:
    """2 IDTP / (people's boxes + reported boxes), with one identity for one person at most."""
    together = np.zeros(shape)
    for row, column, overlap in zip(rows, columns, overlaps, strict=True):
        together[np.ix_(row, column)] += overlap >= _SAME
    best = linear_sum_assignment(together, maximize=True)
    return float(2 * together[best].sum() / boxes)


def _hota(
    rows: list[IntArray],
    columns: list[IntArray],
    overlaps: list[Overlaps],
    shape: tuple[int, int],
) -> float:
    """Mean over the overlap thresholds of sqrt(detection accuracy x association accuracy)."""
    row_boxes, column_boxes, likely = np.zeros((shape[0], 1)), np.zeros((1, shape[1])), 0.0
    potential = np.zeros(shape)
    for row, column, overlap in zip(rows, columns, overlaps, strict=True):
        # Each pair's share of what both overlap with: how likely it is the same, per frame.
        shared = overlap.sum(0, keepdims=True) + overlap.sum(1, keepdims=True) - overlap
        potential[np.ix_(row, column)] += np.divide(
            overlap, shared, out=np.zeros_like(overlap), where=shared > np.finfo(float).eps
        )
        row_boxes[row, 0] += 1
        column_boxes[0, column] += 1
    alignment = potential / (row_boxes + column_boxes - potential)
    matches = [np.zeros(shape) for _ in _ALPHAS]
    for row, column, overlap in zip(rows, columns, overlaps, strict=True):
        if not len(row) or not len(column):
            continue
        chosen = linear_sum_assignment(alignment[np.ix_(row, column)] * overlap, maximize=True)
        for alpha, together in zip(_ALPHAS, matches, strict=True):
            good = overlap[chosen] >= alpha - np.finfo(float).eps
            together[row[chosen[0][good]], column[chosen[1][good]]] += 1
    shown, reported = row_boxes.sum(), column_boxes.sum()
    for together in matches:
        true = together.sum()
        detection = true / (shown + reported - true)
        joint = together / np.maximum(1, row_boxes + column_boxes - together)
        association = (together * joint).sum() / max(1.0, true)
        likely += float(np.sqrt(detection * association))
    return likely / len(_ALPHAS)
