"""Which polygons a zone can be, and what lies in them."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from zones.areas import ZoneArea
from zones.geometry import MAX_CORNERS, Polygon, checked_polygon
from zones.specs import ZoneSpec

SQUARE: Polygon = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))


@pytest.mark.parametrize(
    ("drawn", "kept"),
    [
        pytest.param(SQUARE, SQUARE, id="clockwise on the screen"),
        pytest.param(SQUARE[::-1], SQUARE[::-1], id="anticlockwise"),
        pytest.param((*SQUARE, SQUARE[0]), SQUARE, id="closed: last corner repeats the first"),
        pytest.param((SQUARE[0], *SQUARE), SQUARE, id="double click"),
        pytest.param(
            ((0, 0), (1, 0), (1, 1)), ((0, 0), (1, 0), (1, 1)), id="corners of the picture"
        ),
    ],
)
def test_accepts(drawn: Polygon, kept: Polygon) -> None:
    assert set(checked_polygon(drawn)) == set(kept)
    assert len(checked_polygon(drawn)) == len(kept)


@pytest.mark.parametrize(
    ("drawn", "key", "words"),
    [
        pytest.param((), "polygon.corner_count", "this one has 0", id="nothing"),
        pytest.param(SQUARE[:2], "polygon.corner_count", "this one has 2", id="two points"),
        pytest.param(
            (SQUARE[0], SQUARE[1], SQUARE[0]), "polygon.corner_count", "has 2", id="two, closed"
        ),
        pytest.param(
            tuple((0.5, n / MAX_CORNERS / 2) for n in range(2 * MAX_CORNERS)),
            "polygon.corner_count", f"3 to {MAX_CORNERS}", id="too many",
        ),
        pytest.param(
            ((0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)),
            "polygon.crosses_itself", "near (0.500, 0.500)", id="bow tie",
        ),
        pytest.param(
            ((0.1, 0.1), (0.9, 0.1), (0.5, 0.5), (0.9, 0.9), (0.1, 0.9), (0.5, 0.5)),
            "polygon.crosses_itself", "near (0.500, 0.500)", id="touches itself",
        ),
        pytest.param(
            ((0.1, 0.1), (0.5, 0.5), (0.9, 0.9)), "polygon.crosses_itself", "outline", id="a line"
        ),
        pytest.param(
            ((0.5, 0.5), (0.505, 0.5), (0.505, 0.505)), "polygon.too_small", "larger", id="a dot"
        ),
        pytest.param(
            ((0.2, 0.2), (1.2, 0.2), (0.8, 0.8)), "polygon.outside_picture", "corner 2 (1.2, 0.2)",
            id="outside",
        ),
        pytest.param(
            ((0.2, 0.2), (0.8, 0.2), (math.nan, 0.8)), "polygon.outside_picture", "corner 3 (nan",
            id="not a number",
        ),
        pytest.param(
            ((0.2, 0.2), (0.8, math.inf), (0.5, 0.8)), "polygon.outside_picture", "corner 2",
            id="infinite",
        ),
    ],
)  # fmt: skip
def test_refuses_and_says_why(drawn: Polygon, key: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        checked_polygon(drawn)
    assert isinstance(refused.value, PydanticCustomError)
    assert refused.value.type == key
    assert words in str(refused.value)


def test_a_zone_tells_the_reason_by_translation_key() -> None:
    with pytest.raises(ValidationError) as refused:
        ZoneSpec.model_validate(
            {"id": "z", "name": "Z", "camera_id": "c", "polygon": [[0.1, 0.1], [0.2, 0.2]]}
        )
    assert [(e["loc"], e["type"]) for e in refused.value.errors()] == [
        (("polygon",), "polygon.corner_count")
    ]


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [
        (0.5, 0.5, True),
        (0.1, 0.5, False),
        (0.2, 0.5, True),  # on the outline
        (0.2, 0.2, True),  # on a corner
        (math.nan, 0.5, False),
    ],
)
def test_contains(x: float, y: float, inside: bool) -> None:
    assert ZoneArea(SQUARE).contains(np.array([x, y])) == inside


@st.composite
def stars(draw: st.DrawFn) -> Polygon:
    """Simple polygons, convex or not: corners at rising angles round a centre."""
    count = draw(st.integers(3, 12))
    radii = draw(st.lists(st.floats(0.1, 0.5), min_size=count, max_size=count))
    corners = tuple(
        (
            0.5 + radius * math.cos(2 * math.pi * n / count),
            0.5 + radius * math.sin(2 * math.pi * n / count),
        )
        for n, radius in enumerate(radii)
    )
    return corners[:: draw(st.sampled_from([1, -1]))]


@given(stars(), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_contains_agrees_with_a_plain_covers(
    polygon: Polygon, points: list[tuple[float, float]]
) -> None:
    area = ZoneArea(checked_polygon(polygon))
    truth = [shapely.Polygon(polygon).covers(shapely.Point(p)) for p in points]
    assert area.contains(np.array(points)).tolist() == truth


@given(stars(), st.integers(0, 11), st.booleans())
def test_start_and_direction_of_drawing_do_not_matter(
    polygon: Polygon, start: int, reverse: bool
) -> None:
    turned = polygon[start % len(polygon) :] + polygon[: start % len(polygon)]
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 17), np.linspace(0, 1, 17)), axis=-1)
    same = ZoneArea(turned[::-1] if reverse else turned).contains(grid)
    # Points within rounding of the outline may fall either way.
    rim = shapely.distance(shapely.Polygon(polygon).exterior, shapely.points(grid)) < 1e-9
    assert ((ZoneArea(polygon).contains(grid) == same) | rim).all()
