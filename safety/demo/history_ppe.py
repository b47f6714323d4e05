"""What the made-up plant's people wore where they had to, hour by hour."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session, insert

from safety.demo.history_story import Story, works
from safety.store.ppe_tables import PpeHour
from safety.types import PpeItem
from zones.rules.missing_ppe import MissingPpeSpec

_RULE = "protective-equipment"
_HOURS = range(8, 18)
_AT_FIRST = {PpeItem.HARDHAT: 0.88, PpeItem.VEST: 0.8}
_BETTER = 0.08
"""By so much the share rises over the whole history."""

_ALIKE = 25.0
"""How alike days are: the sum of the beta distribution's two parameters."""


def wore(session: Session, story: Story, days: list[date], *, seed: int) -> None:
    """Add up what was worn on working days; a plant without such a rule gets a made-up one."""
    rows = list(_rows(story, days, random.Random(seed)))  # noqa: S311 - a story, not a secret
    if rows:
        session.execute(insert(PpeHour), rows)


def _rules(story: Story) -> list[tuple[str, str, str, tuple[PpeItem, ...]]]:
    """Rule, zone, camera and items."""
    cameras = {zone.id: zone.camera_id or story.site.cameras[0].id for zone in story.site.zones}
    asked = [rule for rule in story.site.rules if isinstance(rule, MissingPpeSpec)]
    found = [
        (rule.id, rule.zone_id, cameras[rule.zone_id], rule.items)
        for rule in asked
        if rule.zone_id in cameras
    ]
    first = next(iter(cameras.items()), None)
    if found or first is None:
        return found
    return [(_RULE, first[0], first[1], tuple(_AT_FIRST))]


def _rows(story: Story, days: list[date], chance: random.Random) -> Iterator[dict[str, Any]]:
    rules = _rules(story)
    for number, day in enumerate(days):
        if not works(day):
            continue
        for rule_id, zone_id, camera_id, items in rules:
            for item in items:
                mean = _AT_FIRST.get(item, 0.85) + _BETTER * number / len(days)
                share = chance.betavariate(mean * _ALIKE, (1 - mean) * _ALIKE)
                for hour in _HOURS:
                    seconds = chance.lognormvariate(5.6, 0.5)
                    decided = seconds * chance.uniform(0.7, 0.95)
                    yield {
                        "hour": story.moment(day, 0) + timedelta(hours=hour),
                        "camera_id": camera_id,
                        "rule_id": rule_id,
                        "item": item.value,
                        "zone_id": zone_id,
                        "worn_s": round(decided * share, 3),
                        "missing_s": round(decided * (1 - share), 3),
                        "unknown_s": round(seconds - decided, 3),
                        "stays": 1 + int(decided // 20),
                    }
