"""Who counts for a rule that watches a whole picture, or one zone in it."""

from collections.abc import Collection

from zones.body_points import Body
from zones.people import People
from zones.rules.base import RuleContext


class Where:
    """The zone of a rule, if it has one."""

    def __init__(self, context: RuleContext) -> None:
        self._area = None if context.zone_polygon is None else context.area

    def inside(self, people: People, body: Body = "any") -> Collection[int] | None:
        """Track ids of the persons with such a body point in the zone; None: no zone, everybody."""
        return None if self._area is None else people.inside(self._area, body)
