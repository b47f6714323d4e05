"""A study: what happened, what the present rules make of it, and what proposed ones would."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cameras.observation_log import read_log
from cameras.observations import Recorded
from cameras.specs import CameraSpec
from safety.errors import AnjeonError
from safety.replay.compare import Difference, compare
from safety.replay.run import Firing, Scenery, replay_observations, with_proposals
from safety.site.spec import SiteSpec
from zones.rules.base import CameraRuleBase
from zones.specs import RuleSpec

LONGEST_S = 14 * 24 * 3600.0
"""The longest time that one study looks at."""


class ReplayError(AnjeonError):
    """Nothing can be replayed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What a replay found.

    Attributes:
        since, until: The time looked at, Unix seconds.
        frames: Observations that there were.
        differences: Every event under present and proposed rules, by time.
    """

    since: float
    until: float
    frames: int
    differences: tuple[Difference, ...]

    def count(self, change: str) -> int:
        """How many events changed so."""
        return sum(each.change == change for each in self.differences)


def study(
    site: SiteSpec,
    proposals: Sequence[RuleSpec],
    *,
    folder: Path,
    cameras: Sequence[str],
    since: float,
    until: float,
) -> Study:
    """Replay what cameras observed, under the present rules and with proposed ones.

    Only the rules in question are run: the proposed ones, and present ones of the same id.

    Args:
        proposals: Valid for this site.
        folder: Where cameras' observations are kept.
        cameras: Camera ids; empty: all that a proposed rule concerns.
        since, until: Unix seconds.

    Raises:
        ReplayError: The time is empty or too long, a camera does not exist, or nothing was
            observed then.
    """
    if not 0 < until - since <= LONGEST_S:
        raise ReplayError(
            "replay.time",
            "the time to replay must be longer than nothing and at most {days} days",
            days=f"{LONGEST_S / 86400:g}",
        )
    ids = {rule.id for rule in proposals}
    present = [rule for rule in site.rules if rule.id in ids]
    differences: list[Difference] = []
    frames = 0
    for camera in _cameras(site, cameras):
        before, after = (
            scenery_of(site, camera, rules)
            for rules in (present, with_proposals(present, proposals))
        )
        if not after.rules:
            continue
        count, was, will = _run(folder / camera.id, before, after, since, until)
        frames += count
        differences += compare(was, will)
    if not frames:
        raise ReplayError(
            "replay.nothing",
            "nothing was recorded by these cameras in this time; choose a time in which they"
            " were watching, or a film",
        )
    differences.sort(key=lambda each: each.firing.opened_at.wall)
    return Study(since=since, until=until, frames=frames, differences=tuple(differences))


def scenery_of(site: SiteSpec, camera: CameraSpec, rules: Sequence[RuleSpec]) -> Scenery:
    """One camera with its zones and those of the rules that concern it.

    A rule in shadow is run like any other, and one that was switched off is not.
    """
    zones = tuple(zone for zone in site.zones if zone.camera_id in {camera.id, None})
    ids = {None, *(zone.id for zone in zones)}
    return Scenery(
        camera=camera,
        zones=zones,
        rules=tuple(rule for rule in rules if rule.zone_id in ids and _watches(rule, camera.id)),
    )


def _watches(rule: RuleSpec, camera_id: str) -> bool:
    if not isinstance(rule, CameraRuleBase):
        return rule.zone_id is not None
    return rule.camera_ids is None or camera_id in rule.camera_ids


def _cameras(site: SiteSpec, wanted: Sequence[str]) -> Iterator[CameraSpec]:
    known = {camera.id: camera for camera in site.cameras}
    for camera_id in wanted or known:
        if camera_id not in known:
            raise ReplayError(
                "replay.camera",
                "there is no camera '{camera}'; known are {known}",
                camera=camera_id,
                known=", ".join(sorted(known)) or "none",
            )
        yield known[camera_id]


def _run(
    folder: Path, before: Scenery, after: Scenery, since: float, until: float
) -> tuple[int, list[Firing], list[Firing]]:
    """Frames, and the firings of both; each reads the log by itself, so that none is in memory."""
    count = 0

    def counted() -> Iterator[Recorded]:
        nonlocal count
        for each in read_log(folder, since=since, until=until):
            count += 1
            yield each

    will = replay_observations(counted(), after)
    was = replay_observations(read_log(folder, since=since, until=until), before)
    return count, was, will
