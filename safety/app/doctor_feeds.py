"""``anjeon doctor``: connects every plant feed for real."""

import asyncio
from typing import Final

from safety.clock import Clock
from safety.config import Settings, read_secret
from safety.errors import AnjeonError
from zones.feeds.http_push import HttpPushSpec
from zones.feeds.specs import AnyFeedSpec
from zones.feeds.trial import FeedTrial, try_feed
from zones.plant import PlantSpec

FEED_TIMEOUT_S: Final = 8.0


async def hear_feeds(
    settings: Settings, plant: PlantSpec, clock: Clock
) -> list[tuple[str, str | AnjeonError]]:
    """Every feed that is in use, by id: what it says, or what is wrong with it."""
    used = [spec for spec in plant.feeds if spec.enabled]
    said = await asyncio.gather(*(_heard(settings, spec, plant, clock) for spec in used))
    return [(spec.id, each) for spec, each in zip(used, said, strict=True)]


async def _heard(
    settings: Settings, spec: AnyFeedSpec, plant: PlantSpec, clock: Clock
) -> str | AnjeonError:
    try:
        if isinstance(spec, HttpPushSpec):
            read_secret(spec.token)
            return (
                f"its token is there; posts go to port {settings.metrics_port} of the engine, at"
                f" /feeds/{spec.id} (whether any come is on the health page)"
            )
        return _told(await try_feed(spec, plant, clock=clock, deadline_s=FEED_TIMEOUT_S))
    except AnjeonError as error:
        return error


def _told(trial: FeedTrial) -> str:
    """What it said.

    Raises:
        AnjeonError: It cannot be reached, is not complete, or says what nobody has listed.
    """
    if trial.problem is not None and not trial.messages:
        raise trial.problem
    seconds = f"{trial.took_s:.1f}"
    silent = [m.machine_id for m in trial.machines if m.age_s is None] + sorted(trial.lost)
    if silent or not trial.connected:
        raise AnjeonError(
            "doctor.feed_silent",
            "connected, but in {seconds} s nothing was heard of {names}{refused}; check addresses,"
            " topics and nodes, and that the other side sends",
            seconds=seconds,
            names=", ".join(silent) or "anything",
            refused=f" (last refused: {trial.last_refusal})" if trial.last_refusal else "",
        )
    if doubtful := [m for m in trial.machines if m.reason]:
        raise AnjeonError(
            "doctor.feed_unknown",
            "{machines}: this value is in no list of states, so the machine is unknown and its"
            " rules stay armed; list it at the state that it means",
            machines=", ".join(f"{m.machine_id} says '{m.value}'" for m in doubtful),
        )
    states = [f"{m.machine_id} {m.state.value}" for m in trial.machines]
    poses = [f"{name} at {p.x_m:.1f}, {p.y_m:.1f} m" for name, p in trial.poses.items()]
    return f"heard in {seconds} s: {', '.join([*states, *poses])}"
