"""The weekly self-test of a siren: when it is due, and how it is done."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.channels.base import Siren, SirenLevel
from alerts.channels.siren_spec import SirenSpec
from safety.clock import Clock, Instant
from safety.errors import AnjeonError, ChannelError

SOUND_S = 1.5
"""How long a tested siren shows its mildest level."""

WAIT_S = 5.0
"""How long it may take to confirm."""

RETRY_AFTER = timedelta(minutes=10)
"""A failed self-test is tried again until it passes; then its alert is cleared."""

GRACE = timedelta(hours=1)
"""A test that was hindered at its time is made up for within this; later it is left out."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """How one self-test went.

    Attributes:
        at: When it began.
        latency_s: From the command to the device's confirmation; None: it did not confirm.
        error: Why it failed; None: it passed.
    """

    at: Instant
    latency_s: float | None = None
    error: AnjeonError | None = None


def is_due(spec: SirenSpec, last_at: datetime | None, last_ok: bool, now: datetime) -> bool:
    """Whether a siren is to be tested now.

    Args:
        spec: Says on which day and at what time.
        last_at: When it was tested last, with time zone; None: never.
        last_ok: Whether it passed then.
        now: The present, in the site's time zone.
    """
    if spec.self_test_day == "never":
        return False
    if last_at is not None and not last_ok:
        return now - last_at >= RETRY_AFTER
    planned = latest_moment(spec, now)
    return now - planned <= GRACE and (last_at is None or last_at < planned)


def latest_moment(spec: SirenSpec, now: datetime) -> datetime:
    """The last moment, not after ``now``, at which a test was planned."""
    hour, minute = map(int, spec.self_test_at.split(":"))
    planned = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    planned -= timedelta(days=(now.weekday() - _DAYS.index(spec.self_test_day)) % 7)
    return planned if planned <= now else planned - timedelta(days=7)


async def try_out(siren: Siren, *, clock: Clock) -> SelfTest:
    """Let the siren show its mildest level for a moment.

    The command is never taken back: a real alarm's own commands are stronger, and quiet comes
    by the time-to-live.
    """
    begun = clock.now()
    try:
        async with asyncio.timeout(WAIT_S):
            receipt = await siren.set(SirenLevel.WARNING, ttl_s=SOUND_S, reason="self-test")
    except ChannelError as error:
        return SelfTest(at=begun, error=error)
    except TimeoutError:
        return SelfTest(
            at=begun,
            error=ChannelError(
                "channel.siren_timeout",
                "the siren {channel} did not answer within {seconds:g} s; check its network",
                channel=siren.channel_id,
                seconds=WAIT_S,
            ),
        )
    return SelfTest(at=begun, latency_s=receipt.latency_s)
