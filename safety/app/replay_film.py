"""``anjeon replay FILM``: a rule on a film that stands for a camera."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cameras.film import Damage
from cameras.region_notes import PlanNote, read_notes
from cameras.region_plan import CameraPlan
from safety.app.replay_events import event_of
from safety.clock import Instant
from safety.config import Settings
from safety.perception.ppe_load import load_ppe_detector
from safety.replay.clips import cut
from safety.replay.compare import Difference, compare
from safety.replay.run import Look, replay_film, with_proposals
from safety.replay.sight import Film, Networks, assumed, film_of, plan_of
from safety.replay.study import ReplayError, scenery_of
from safety.site.spec import SiteSpec
from zones.specs import RuleSpec

AROUND_S = 3.0
"""Seconds of film before and after a violation."""


def tried_on_film(
    settings: Settings,
    site: SiteSpec,
    proposals: Sequence[RuleSpec],
    film: Path,
    camera_id: str | None,
    out: Path | None,
) -> dict[str, Any]:
    """What the proposed rules make of a film, and what that changes.

    Raises:
        ReplayError: Nobody knows whose film it is.
        CameraError, ModelError: The film or a network cannot be used.
    """
    known = {camera.id: camera for camera in site.cameras}
    chosen = camera_id or (next(iter(known)) if len(known) == 1 else "")
    if chosen not in known:
        raise ReplayError(
            "replay.which_camera",
            "say whose film it is with --camera; known are {known}",
            known=", ".join(sorted(known)) or "none",
        )
    return _tried(settings, site, proposals, film_of(film, chosen), out)


def _tried(
    settings: Settings,
    site: SiteSpec,
    proposals: Sequence[RuleSpec],
    film: Film,
    out: Path | None,
) -> dict[str, Any]:
    networks = Networks(settings)
    needs_ppe = any(each.kind == "missing_ppe" for each in proposals)
    ppe = load_ppe_detector(settings) if needs_ppe else None
    notes = read_notes(settings.looks_dir)
    note = next((each for each in notes if film.camera_id in each.cameras), None)
    note = note or assumed(site, film, networks)
    damage = Damage()
    looks = _looks(site, proposals, film, note)
    starts = Instant(wall=0.0, monotonic=0.0)
    was, will = replay_film(film.path, looks, networks.get, ppe, starts=starts, damage=damage)
    differences = compare(was, will)
    networks.close()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    return {
        "film": str(film.path),
        "looked_at": _looked_at(looks[-1].plan),
        "damage": {"pictures": damage.pictures, "first_s": round(damage.first_s, 2)},
        "events": [
            event_of(each) | _clip(film.path, each, number, out)
            for number, each in enumerate(differences, start=1)
        ],
    }


def _looks(
    site: SiteSpec, proposals: Sequence[RuleSpec], film: Film, note: PlanNote
) -> tuple[Look, Look]:
    """With the rules as they are, and with the proposed ones; only those in question are run."""
    camera = next(each for each in site.cameras if each.id == film.camera_id)
    ids = {each.id for each in proposals}
    present = [each for each in site.rules if each.id in ids]
    rules = with_proposals(site.rules, proposals)
    return (
        Look(scenery=scenery_of(site, camera, present), plan=plan_of(site, site.rules, film, note)),
        Look(
            scenery=scenery_of(site, camera, with_proposals(present, proposals)),
            plan=plan_of(site, rules, film, note),
        ),
    )


def _looked_at(plan: CameraPlan) -> dict[str, Any]:
    return {
        "network_width": plan.width,
        "regions": [[r.left, r.top, r.right, r.bottom] for r in plan.regions],
        "whole_every_s": plan.context_s,
        "unresolved_zones": list(plan.unresolved),
    }


def _clip(film: Path, difference: Difference, number: int, out: Path | None) -> dict[str, str]:
    if out is None:
        return {}
    firing = difference.firing
    closed = firing.closed_at.wall if firing.closed_at is not None else firing.opened_at.wall
    target = out / f"{number:03}-{firing.rule_id}.mp4"
    start_s, end_s = firing.opened_at.wall - AROUND_S, closed + AROUND_S
    cut(film, target, start_s=start_s, end_s=end_s)
    return {"clip": str(target)}


def remarks(result: Mapping[str, Any]) -> list[str]:
    """What to know of a film's analysis."""
    if "film" not in result:
        return []
    looked_at, damage = result["looked_at"], result["damage"]
    close_ups = f", {len(looked_at['regions'])} close-up(s)" if looked_at["regions"] else ""
    remarks = [f"looked at with network width {looked_at['network_width']}{close_ups}"]
    if looked_at["unresolved_zones"]:
        zones = ", ".join(looked_at["unresolved_zones"])
        remarks.append(f"people are too small to be found reliably in: {zones}")
    if damage["pictures"]:
        remarks.append(
            f"the film is damaged from {damage['first_s']:.1f} s on; pictures that cannot be"
            " trusted were left out"
        )
    return remarks
