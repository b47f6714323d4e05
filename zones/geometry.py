"""Plane geometry of zones: polygons in the picture, normalised coordinates."""

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y), 0-1 of the picture, in order, not closed."""

MIN_AREA = 1e-4
"""Smallest area of a zone as a share of the picture: about 13 x 7 px at 1280 x 720."""


def checked_polygon(corners: Polygon) -> Polygon:
    """The corners, if they make a polygon that a zone can be.

    Raises:
        ValueError: Fewer than three corners, a coordinate outside 0-1 or not finite,
            the outline crosses itself, or hardly any area; the message says which.
    """
    raise NotImplementedError
