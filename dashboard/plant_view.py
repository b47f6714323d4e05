"""The plant's feeds and what they report, in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cameras.messages import FeedInfo, PlantStatus
from dashboard.visit import Visit
from safety.i18n import LANGUAGES, catalogue, known_language
from safety.site.edit import PlantPart
from safety.site.spec import SiteSpec
from zones.feeds.base import FeedBase
from zones.feeds.specs import AnyFeedSpec
from zones.feeds.vehicles import MachineSpec, VehicleSpec
from zones.plant import ShiftSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedView:
    """One feed.

    Attributes:
        known: The engine has said how it does.
        well: It is connected, and nothing is odd about it.
        detail: What is wrong or odd; else what it reports.
    """

    id: str
    name: str
    kind: str
    known: bool
    well: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one machine or vehicle says.

    Attributes:
        said: As it put it, or where it is.
        state: What that means.
        doubt: Why it is unknown, if it is.
        age_s: Since it was last confirmed.
    """

    name: str
    said: str
    state: str
    doubt: str
    age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What a machine, vehicle, feed or shift says now.

    Attributes:
        known: The engine has said so.
        sentence: For a feed how it does; for a shift whether it is on.
    """

    known: bool
    well: bool = True
    sentence: str = ""
    heard: Sequence[Heard] = ()


def read_live(visit: Visit, site: SiteSpec, part: PlantPart) -> Live:
    """A part of the plant as the engine knows it now."""
    status = visit.hub.plant_status()
    if status is None:
        return Live(known=False, well=False)
    match part:
        case FeedBase():
            feed = next((each for each in status.feeds if each.feed_id == part.id), None)
            well = feed is not None and feed.connected and not feed.notices
            said = _feed_sentence(visit, site, feed) if feed else ""
            mine = {*part.machine_ids, *part.vehicle_ids}
            return Live(
                known=feed is not None,
                well=well,
                sentence=said,
                heard=_heard(visit, site, status, mine),
            )
        case ShiftSpec():
            on = part.id in status.active_shifts
            key = "machines.shift_now" if on else "machines.shift_not_now"
            return Live(known=True, sentence=visit.translate(key))
        case _:
            return Live(known=True, heard=_heard(visit, site, status, {part.id}))


def machine_doubt(visit: Visit, reason: str) -> str:
    """Why a machine is unknown; empty if it is not."""
    return visit.translate(f"machine.reason.{reason}") if reason else ""


def _heard(visit: Visit, site: SiteSpec, status: PlantStatus, wanted: set[str]) -> list[Heard]:
    names = names_in(site)
    machines = [
        Heard(
            name=names.get(each.machine_id, each.machine_id),
            said=each.value or "–",
            state=visit.translate(f"machine.state.{each.state.value}"),
            doubt=machine_doubt(visit, each.reason),
            age_s=each.age_s,
        )
        for each in status.machines
        if each.machine_id in wanted
    ]
    vehicles = [
        Heard(
            name=names.get(each.vehicle_id, each.vehicle_id),
            said=f"{each.x_m:.1f}, {each.y_m:.1f} m",
            state=f"{math.hypot(*each.velocity_mps):.1f} m/s",
            doubt="",
            age_s=each.age_s,
        )
        for each in status.vehicles
        if each.vehicle_id in wanted
    ]
    lost = [
        Heard(
            name=names.get(name, name),
            said="–",
            state=visit.translate("machines.vehicle_lost"),
            doubt=visit.translate(f"vehicle.lost.{reason}"),
        )
        for name, reason in status.lost_vehicles.items()
        if name in wanted
    ]
    return [*machines, *vehicles, *lost]


def _feed_sentence(visit: Visit, site: SiteSpec, feed: FeedInfo) -> str:
    if feed.problem is not None:
        return _problem(visit, feed)
    odd = _odd(visit, feed, names_in(site))
    return " ".join(odd) or visit.translate("machines.feed_messages", count=feed.messages)


def read_feeds(visit: Visit, site: SiteSpec) -> Sequence[FeedView]:
    """Every enabled feed of the site, as the engine knows it now."""
    status = visit.hub.plant_status()
    told = {feed.feed_id: feed for feed in status.feeds} if status else {}
    names = names_in(site)
    views = []
    for spec in site.plant.feeds:
        feed = told.get(spec.id)
        if spec.enabled:
            views.append(
                FeedView(
                    id=spec.id,
                    name=spec.name,
                    kind=spec.kind,
                    known=feed is not None,
                    well=feed is not None and feed.connected and not feed.notices,
                    detail=_detail(visit, feed, names, status) if feed and status else "",
                )
            )
    return views


def _detail(visit: Visit, feed: FeedInfo, names: Mapping[str, str], status: PlantStatus) -> str:
    if feed.problem is not None:
        return _problem(visit, feed)
    if odd := _odd(visit, feed, names):
        return " ".join(odd)
    states = [
        f"{names.get(machine.machine_id, machine.machine_id)}: "
        + visit.translate(f"machine.state.{machine.state}")
        for machine in status.machines
        if machine.feed_id == feed.feed_id
    ]
    maps = [
        visit.translate("feed.map_residual", map=map_id, metres=f"{metres:.2f}")
        for map_id, metres in feed.map_residuals_m.items()
    ]
    return " · ".join([*maps, *states][:8])


def names_in(site: SiteSpec) -> dict[str, str]:
    """What people call machines, vehicles and feeds, by id."""
    plant = site.plant
    parts: list[MachineSpec | VehicleSpec | AnyFeedSpec]
    parts = [*plant.machines, *plant.vehicles, *plant.feeds]
    return {each.id: each.name for each in parts}


def _odd(visit: Visit, feed: FeedInfo, names: Mapping[str, str]) -> list[str]:
    return [
        visit.translate(
            f"feed.notice.{notice.key}",
            **{"subject": names.get(notice.subject, notice.subject), **notice.params},
        )
        for notice in feed.notices
    ]


def _problem(visit: Visit, feed: FeedInfo) -> str:
    texts = catalogue(known_language(visit.language) or LANGUAGES[0])
    if feed.problem_key is None or feed.problem_key not in texts:
        return feed.problem or ""
    return visit.translate(feed.problem_key, **feed.problem_params)
