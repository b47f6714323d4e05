"""The close-ups that can be taken of some zones."""

from collections.abc import Sequence

from cameras.region_plan_zones import SeenZone, region_of
from cameras.regions import WHOLE, Region

MOST_REGIONS = 3

Size = tuple[int, int]
"""Width and height of the camera's picture in pixels."""


def layouts(zones: Sequence[SeenZone], size: Size, network_width: int) -> list[tuple[Region, ...]]:
    """The whole picture (no close-up); one of all zones; one of each, joined where they overlap."""
    # More than the camera's own pixels are not to be had.
    least = min(network_width / size[0], 1.0)
    together = _region(zones, size, least)
    apart = _joined(zones, size, least)
    return list(dict.fromkeys([(), _close_ups([together]), _close_ups(apart)]))


def _region(zones: Sequence[SeenZone], size: Size, least: float) -> Region:
    return region_of(zones, aspect=size[0] / size[1], least=least).snapped(*size)


def _joined(zones: Sequence[SeenZone], size: Size, least: float) -> list[Region]:
    """A region for every zone; those that overlap, or are too many, made one."""
    groups = [([zone], _region([zone], size, least)) for zone in zones]
    while (pair := _nearest([region for _, region in groups])) is not None:
        one, other = groups[pair[0]], groups.pop(pair[1])
        joint = [*one[0], *other[0]]
        groups[pair[0]] = (joint, _region(joint, size, least))
    return [region for _, region in groups]


def _nearest(regions: Sequence[Region]) -> tuple[int, int] | None:
    """Two regions to be made one; None: they may stay as they are."""
    pairs = [
        (_gap(regions[i], regions[j]), i, j)
        for i in range(len(regions))
        for j in range(i + 1, len(regions))
    ]
    if not pairs:
        return None
    gap, one, other = min(pairs)
    return (one, other) if gap < 0 or len(regions) > MOST_REGIONS else None


def _gap(one: Region, other: Region) -> float:
    """Between two regions, as a share of the picture; negative where they overlap."""
    across = max(one.left, other.left) - min(one.right, other.right)
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    return max(across, down)


def _close_ups(regions: Sequence[Region]) -> tuple[Region, ...]:
    """None where one of them would be the whole picture."""
    if WHOLE in regions:
        return ()
    return tuple(sorted(regions, key=lambda each: (each.left, each.top)))
