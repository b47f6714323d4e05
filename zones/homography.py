"""Fitting a homography plan → picture to pairs of points, some of which may be wrong.

Points are (N, 2) float64: ``plan`` in metres, ``plane`` in picture heights from the picture's
centre. Method: R. Hartley, A. Zisserman, Multiple View Geometry, 2nd ed., chapters 4 and 5.
"""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CLICK_NOISE = 0.003
"""How well people click: standard deviation in picture heights (2 px of 720)."""

PLAN_NOISE_M = 0.03
"""How well people measure on the floor: standard deviation, metres."""

LEAST_TRIANGLE = 0.01
"""Of four points, no three may span less area than this share of the whole set's spread."""

MAX_SAMPLES = 330
"""Quadruples tried at the most: all of them up to 11 pairs."""

OUTLIER_SIGMAS2 = 13.8
"""Squared distance, in standard deviations, of one point in a thousand (2 degrees)."""

_STEPS = 12
_PRIOR_DEGREES = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A homography and how well it is known.

    Attributes:
        matrix: (3, 3) plan → plane; positive last coordinate in front of the camera.
        shift, scale: The parameters' plan coordinates: ``(plan - shift) * scale``.
        covariance: (8, 8) of the parameters, row by row, the last element fixed to 1.
        inliers: (N,) of bool: the pairs it was made from.
    """

    matrix: Array
    shift: Array
    scale: float
    covariance: Array
    inliers: NDArray[np.bool_]


@np.errstate(divide="ignore", invalid="ignore")
def fit(plan: Array, plane: Array) -> Fit | None:
    """The homography that most pairs agree on, refined; None if no four are in general position."""
    shift = plan.mean(axis=0)
    scale = float(1 / max(np.abs(plan - shift).max(), 1e-9))
    local = (plan - shift) * scale
    noise = PLAN_NOISE_M * scale
    inliers = _consensus(local, plane, noise)
    if inliers is None:
        return None
    # The last element is fixed to 1, so the origin has to be a place that the camera sees.
    centre = local[inliers].mean(axis=0)
    local = local - centre
    shift = shift + centre / scale
    matrix, covariance = _refine(local[inliers], plane[inliers], noise)
    agreeing = _enough(pair_errors(matrix, local, plane, noise) <= OUTLIER_SIGMAS2)
    if (agreeing != inliers).any():
        inliers = agreeing
        matrix, covariance = _refine(local[inliers], plane[inliers], noise)
    to_local = np.array([[scale, 0, -scale * shift[0]], [0, scale, -scale * shift[1]], [0, 0, 1]])
    return Fit(
        matrix=matrix @ to_local, shift=shift, scale=scale, covariance=covariance, inliers=inliers
    )


def project(matrix: Array, points: Array) -> tuple[Array, Array]:
    """Projected points, (N, 2), and their last homogeneous coordinates, (N,).

    Like the other functions here it divides by what may be 0; that is the callers' to allow.
    """
    flat = points @ matrix[:, :2].T + matrix[:, 2]
    last = flat[:, 2]
    return flat[:, :2] / last[:, None], last


def jacobian(matrix: Array, projected: Array, last: Array) -> Array:
    """(N, 2, 2): how projected points move with the points that were projected."""
    moved: Array = matrix[None, :2, :2] - projected[:, :, None] * matrix[None, 2:, :2]
    moved /= last[:, None, None]
    return moved


def parameter_jacobian(points: Array, projected: Array, last: Array) -> Array:
    """(N, 2, 8): how projected points move with the parameters."""
    n = len(points)
    row = np.empty((n, 3))
    row[:, 2] = 1 / last
    row[:, :2] = points * row[:, 2:]
    found = np.zeros((n, 2, 8))
    found[:, 0, :3] = row
    found[:, 1, 3:6] = row
    found[:, :, 6:] = -projected[:, :, None] * row[:, None, :2]
    return found


def pair_errors(matrix: Array, plan: Array, plane: Array, plan_noise: float) -> Array:
    """(N,) squared distance of every pair in standard deviations; infinite behind the camera."""
    projected, last = project(matrix, plan)
    whiten = _whitening(jacobian(matrix, projected, last), plan_noise)
    error = np.einsum("nij,nj->ni", whiten, projected - plane)
    squared: Array = np.where(last > 0, (error**2).sum(axis=1), np.inf)
    return squared


def _consensus(plan: Array, plane: Array, plan_noise: float) -> NDArray[np.bool_] | None:
    """RANSAC with every quadruple (or a fixed choice of them) instead of random ones."""
    samples = _samples(len(plan))
    good = _well_spread(plan[samples]) & _well_spread(plane[samples])
    best: tuple[float, NDArray[np.bool_]] | None = None
    for sample in samples[good]:
        matrix = _through(plan[sample], plane[sample])
        if matrix is None:
            continue
        errors = pair_errors(matrix, plan, plane, plan_noise)
        cost = float(np.minimum(errors, OUTLIER_SIGMAS2 * 2).sum())
        if best is None or cost < best[0]:
            best = cost, errors <= OUTLIER_SIGMAS2 * 2
    if best is None:
        return np.ones(len(plan), bool) if good.any() else None
    return _enough(best[1])


def _enough(inliers: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """All of them unless two thirds agree, and five: any four agree, whatever they are."""
    few = inliers.sum() < max(5, len(inliers) - len(inliers) // 3)
    return np.ones(len(inliers), bool) if few else inliers


def _samples(count: int) -> NDArray[np.int64]:
    if comb(count, 4) <= MAX_SAMPLES:
        return np.array(list(combinations(range(count), 4)), np.int64)
    draw = np.random.default_rng(0)
    return np.stack([draw.choice(count, 4, replace=False) for _ in range(MAX_SAMPLES)])


def _well_spread(points: Array) -> NDArray[np.bool_]:
    """Which quadruples, (Q, 4, 2), have no three points nearly in line."""
    extent = np.ptp(points, axis=1).max(axis=1) ** 2
    areas = []
    for i, j, k in combinations(range(4), 3):
        one, other = points[:, j] - points[:, i], points[:, k] - points[:, i]
        areas.append(np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]) / 2)
    spread: NDArray[np.bool_] = np.min(areas, axis=0) > LEAST_TRIANGLE * np.maximum(extent, 1e-12)
    return spread


def _through(plan: Array, plane: Array) -> Array | None:
    """The homography of four or more pairs by the direct linear transform; None if degenerate."""
    n = len(plan)
    rows = np.zeros((2 * n, 9))
    ones = np.concatenate([plan, np.ones((n, 1))], axis=1)
    rows[0::2, 0:3] = ones
    rows[1::2, 3:6] = ones
    rows[0::2, 6:9] = -plane[:, :1] * ones
    rows[1::2, 6:9] = -plane[:, 1:] * ones
    matrix: Array = np.linalg.svd(rows)[2][-1].reshape(3, 3)
    last = plan @ matrix[2, :2] + matrix[2, 2]
    if abs(np.linalg.det(matrix)) < 1e-12:
        return None
    return matrix if np.median(last) > 0 else -matrix


def _refine(plan: Array, plane: Array, plan_noise: float) -> tuple[Array, Array]:
    """Gauss-Newton on the weighted error in the picture; matrix and covariance of parameters."""
    matrix = _through(plan, plane)
    matrix = np.eye(3) if matrix is None else matrix
    matrix = matrix / (matrix[2, 2] if abs(matrix[2, 2]) > 1e-12 else 1e-12)
    normal = np.eye(8)
    chi2 = 0.0
    for _ in range(_STEPS):
        projected, last = project(matrix, plan)
        whiten = _whitening(jacobian(matrix, projected, last), plan_noise)
        slope = np.einsum("nij,njk->nik", whiten, parameter_jacobian(plan, projected, last))
        error = np.einsum("nij,nj->ni", whiten, plane - projected)
        design = slope.reshape(-1, 8)
        normal = design.T @ design
        chi2 = float((error**2).sum())
        step = np.linalg.lstsq(design, error.reshape(-1), rcond=None)[0]
        matrix = matrix + np.append(step, 0.0).reshape(3, 3)
        if float(np.abs(step).max()) < 1e-10:
            break
    degrees = 2 * len(plan) - 8
    # Residuals larger than the assumed noise widen the covariance; few of them say little.
    excess = max(1.0, (chi2 + _PRIOR_DEGREES) / (degrees + _PRIOR_DEGREES))
    return matrix, np.asarray(np.linalg.pinv(normal, hermitian=True) * excess, np.float64)


def _whitening(slope: Array, plan_noise: float) -> Array:
    """(N, 2, 2) matrices that make the error of a pair have unit covariance."""
    spread = plan_noise**2 * slope @ slope.transpose(0, 2, 1)
    spread = np.nan_to_num(spread, nan=1e12, posinf=1e12, neginf=-1e12)
    spread = spread + CLICK_NOISE**2 * np.eye(2)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(spread)))
