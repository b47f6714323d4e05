"""What a feed said when it was tried, in the reader's words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.errors import Unprocessable
from dashboard.plant_view import Heard, machine_doubt, names_in
from dashboard.visit import Visit
from safety.i18n import explain
from safety.site.spec import SiteSpec
from zones.feeds.http_push import HttpPushSpec
from zones.feeds.specs import AnyFeedSpec
from zones.feeds.trial import FeedTrial, try_feed

DEADLINE_S: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """A trial.

    Attributes:
        well: Everything was heard and understood.
        sentence: What came of it.
        remarks: What else people should know.
        heard: Every machine and vehicle of the feed.
    """

    well: bool
    sentence: str
    remarks: Sequence[str] = ()
    heard: Sequence[Heard] = ()
    example: str = ""


async def tried(visit: Visit, spec: AnyFeedSpec, site: SiteSpec) -> TrialView:
    """Try a feed as it stands in a form, saved or not.

    Raises:
        Unprocessable: It tells of something that the site does not have.
    """
    _refuse_unknown(spec, site)
    if isinstance(spec, HttpPushSpec):
        return _push(visit, spec)
    trial = await try_feed(spec, site.plant, clock=visit.services.clock, deadline_s=DEADLINE_S)
    names = names_in(site)
    return TrialView(
        well=trial.well,
        sentence=_sentence(visit, trial),
        remarks=_remarks(visit, trial, names),
        heard=[*_machines(visit, trial, names), *_vehicles(visit, trial, names)],
    )


def _refuse_unknown(spec: AnyFeedSpec, site: SiteSpec) -> None:
    plant = site.plant
    machines, vehicles = {m.id for m in plant.machines}, {v.id for v in plant.vehicles}
    unknown = [("machine", name) for name in spec.machine_ids if name not in machines]
    unknown += [("vehicle", name) for name in spec.vehicle_ids if name not in vehicles]
    for what, name in unknown:
        raise Unprocessable(
            "plant.unknown_in_feed",
            "feed '{feed}' reports the {what} '{id}', which the plant does not have{hint}",
            feed=spec.id,
            what=what,
            id=name,
            hint=f"; add it to {what}s",
        )


def _push(visit: Visit, spec: HttpPushSpec) -> TrialView:
    """Nothing can be fetched: somebody else has to send."""
    settings = visit.services.settings
    machine = next(iter(spec.machine_ids), "MACHINE")
    value = next((v for p in spec.points for v in (*p.states.running, *p.states.idle)), "run")
    quoted = f'"{value}"' if isinstance(value, str) else str(value).lower()
    return TrialView(
        well=False,
        sentence=visit.translate("machines.try.push"),
        example=(
            f"curl -X POST http://{settings.host}:{settings.metrics_port}/feeds/{spec.id}"
            f" -H 'Authorization: Bearer TOKEN' -d '{{\"machines\": {{\"{machine}\": {quoted}}}}}'"
        ),
    )


def _sentence(visit: Visit, trial: FeedTrial) -> str:
    seconds = f"{trial.took_s:.1f}"
    if trial.problem is not None and not trial.messages:
        return explain(trial.problem, visit.language)
    if not trial.connected:
        return visit.translate("machines.try.no_answer", seconds=seconds)
    if trial.well:
        return visit.translate("machines.try.well", seconds=seconds)
    key = "machines.try.not_understood" if trial.complete else "machines.try.incomplete"
    return visit.translate(key, seconds=seconds)


def _remarks(visit: Visit, trial: FeedTrial, names: Mapping[str, str]) -> list[str]:
    said = [
        visit.translate(
            f"feed.notice.{each.key}",
            **{"subject": names.get(each.subject, each.subject), **each.params},
        )
        for each in trial.notices
    ]
    said += [
        visit.translate("feed.map_residual", map=map_id, metres=f"{metres:.2f}")
        for map_id, metres in trial.residuals_m.items()
    ]
    if trial.last_refusal:
        count = sum(trial.refused.values())
        said.append(visit.translate("machines.try.refused", count=count, why=trial.last_refusal))
    return said


def _machines(visit: Visit, trial: FeedTrial, names: Mapping[str, str]) -> list[Heard]:
    return [
        Heard(
            name=names.get(each.machine_id, each.machine_id),
            said=each.value or "–",
            state=visit.translate(f"machine.state.{each.state.value}"),
            doubt=machine_doubt(visit, each.reason),
        )
        for each in trial.machines
    ]


def _vehicles(visit: Visit, trial: FeedTrial, names: Mapping[str, str]) -> list[Heard]:
    found = [
        Heard(
            name=names.get(name, name),
            said=f"{pose.x_m:.2f}, {pose.y_m:.2f} m · {math.degrees(pose.heading_rad):.0f}°",
            state=f"{math.hypot(*pose.velocity_mps):.1f} m/s",
            doubt="",
        )
        for name, pose in trial.poses.items()
    ]
    return found + [
        Heard(
            name=names.get(name, name),
            said="–",
            state=visit.translate("machines.vehicle_lost"),
            doubt=visit.translate(f"vehicle.lost.{reason}"),
        )
        for name, reason in trial.lost.items()
    ]
