"""The exposure map of a month: where people were on the floor, and where rules were broken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from dashboard.canvas import plan_surface
from dashboard.kpi import HEAT_LEVELS, known_months, maker_of, wanted_month
from dashboard.visit import Visit
from safety.months import day_after
from safety.store import exposure
from safety.store.exposure import Amount, Cell
from zones.plant import PlanSpec

Measure = Literal["time", "violations"]

WIDTH = 1000.0
"""Of the drawing; its height follows the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCell:
    """A square metre in the drawing, and what is known of it.

    Attributes:
        level: How dark, 1 to ``HEAT_LEVELS``; 0: nothing to show.
    """

    x: int
    y: int
    left: float
    top: float
    level: int
    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnZone:
    """A floor zone's outline, as SVG points."""

    name: str
    points: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureView:
    """The map.

    Attributes:
        side: Of a cell, in the drawing.
        hidden: Cells that too few were seen in to be shown.
        image: Of the floor plan; empty: it has none.
    """

    month: str
    months: Sequence[str]
    measure: Measure
    height: float
    side: float
    cells: Sequence[DrawnCell]
    zones: Sequence[DrawnZone]
    image: str
    hidden: int


def read_exposure(visit: Visit, month: str, measure: Measure) -> ExposureView:
    """The map of a month.

    Raises:
        NotFound: There is no such month.
    """
    maker = maker_of(visit)
    plan = maker.site.plant.plan or PlanSpec()
    with visit.database.reading() as session:
        months = known_months(session, maker.today)
        wanted = wanted_month(visit, month, months)
        last = (day_after(wanted) - timedelta(days=1)).isoformat()
        found = exposure.sums(session, first=f"{wanted}-01", last=last)
        hidden = exposure.hidden(session, first=f"{wanted}-01", last=last)
    place = _Place(plan=plan)
    return ExposureView(
        month=wanted,
        months=months,
        measure=measure,
        height=plan.height_m * place.scale,
        side=place.scale,
        cells=_cells(found, measure, place),
        zones=[
            DrawnZone(name=zone.name, points=place.points(zone.floor_m))
            for zone in maker.site.zones
            if zone.floor_m is not None
        ],
        image=plan_surface(plan).get("image") or "",
        hidden=hidden,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """From metres on the plan to the drawing, whose y points down."""

    plan: PlanSpec

    @property
    def scale(self) -> float:
        return WIDTH / self.plan.width_m

    def of(self, x_m: float, y_m: float) -> tuple[float, float]:
        left, bottom = self.plan.origin_m
        return (x_m - left) * self.scale, (bottom + self.plan.height_m - y_m) * self.scale

    def points(self, corners: Sequence[tuple[float, float]]) -> str:
        places = (self.of(x, y) for x, y in corners)
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _cells(found: Mapping[Cell, Amount], measure: Measure, place: _Place) -> list[DrawnCell]:
    values = {cell: _value(amount, measure) for cell, amount in found.items()}
    most = max(values.values(), default=0.0)
    drawn = []
    for (x, y), amount in found.items():
        left, top = place.of(x, y + 1)
        level = -int(-values[(x, y)] * HEAT_LEVELS // most) if most > 0 else 0
        drawn.append(DrawnCell(x=x, y=y, left=left, top=top, level=level, amount=amount))
    return drawn


def _value(amount: Amount, measure: Measure) -> float:
    if measure == "time":
        return amount.person_seconds
    return amount.per_person_hour or 0.0
