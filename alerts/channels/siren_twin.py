"""A siren that exists only as a program: obeys an MQTT topic as ``docs/sirens.md`` says.

``python -m alerts.channels.siren_twin --topic plant/siren-1`` writes one JSON line for every
command and every change of what it shows. For the demo, drills and tests, and an example for
whoever builds a real one.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import aiomqtt

from alerts.channels.base import SirenLevel
from alerts.waiting import pause
from safety.clock import Clock, Instant, SystemClock

_TICK_S = 0.05
_RECONNECT_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the siren began to show, and why: ``command`` or ``ttl``."""

    at: Instant
    level: SirenLevel
    why: str
    reason: str = ""


class SirenDevice:
    """The state of one siren: the last command, until its time-to-live is over."""

    def __init__(self) -> None:
        self.level = SirenLevel.OFF
        self._quiet_at = 0.0

    def command(self, payload: bytes, now: Instant) -> Change | None:
        """Obey one message; what it is not sure of it ignores."""
        try:
            body = json.loads(payload)
            level = SirenLevel(body["level"])
            ttl_s = float(body["ttl_s"])
        except (ValueError, KeyError, TypeError):
            return None
        self._quiet_at = now.monotonic + ttl_s
        changed, self.level = level is not self.level, level
        if not changed:
            return None
        return Change(at=now, level=level, why="command", reason=str(body.get("reason", "")))

    def tick(self, now: Instant) -> Change | None:
        """Let time pass: go quiet if the last command is too old."""
        if self.level is SirenLevel.OFF or now.monotonic < self._quiet_at:
            return None
        self.level = SirenLevel.OFF
        return Change(at=now, level=self.level, why="ttl")


async def run_siren(
    host: str,
    port: int,
    topic: str,
    *,
    clock: Clock,
    on_change: Callable[[Change], None],
    username: str | None = None,
    password: str | None = None,
) -> None:
    """Be a siren until cancelled, through every loss of the broker."""
    device = SirenDevice()
    ticking = asyncio.create_task(_tick(device, clock, on_change))
    availability = f"{topic}/availability"
    try:
        while True:
            try:
                async with aiomqtt.Client(
                    host,
                    port,
                    username=username,
                    password=password,
                    keepalive=5,
                    timeout=3,
                    will=aiomqtt.Will(availability, b"offline", qos=1, retain=True),
                ) as client:
                    await client.subscribe(f"{topic}/set", qos=1)
                    await client.publish(availability, b"online", qos=1, retain=True)
                    async for message in client.messages:
                        change = device.command(bytes(message.payload), clock.now())
                        if change is not None:
                            on_change(change)
            except aiomqtt.MqttError:
                await pause(_RECONNECT_S)
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


async def _tick(device: SirenDevice, clock: Clock, on_change: Callable[[Change], None]) -> None:
    while True:
        await pause(_TICK_S)
        change = device.tick(clock.now())
        if change is not None:
            on_change(change)


def _write(change: Change, out: TextIO) -> None:
    line = {
        "wall": change.at.wall,
        "monotonic": change.at.monotonic,
        "level": change.level.value,
        "why": change.why,
        "reason": change.reason,
    }
    out.write(json.dumps(line, ensure_ascii=False) + "\n")
    out.flush()


def main() -> None:
    """Command line of the siren twin."""
    parser = argparse.ArgumentParser(description="A siren that exists only as a program.")
    parser.add_argument("--host", default="127.0.0.1", help="MQTT broker")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--topic", required=True, help="commands are read from TOPIC/set")
    parser.add_argument("--username", help="the password is read from SIREN_PASSWORD")
    parser.add_argument("--log", type=Path, help="append JSON lines here, not to the output")
    options = parser.parse_args()
    out = options.log.open("a", encoding="utf-8") if options.log else sys.stdout
    try:
        asyncio.run(
            run_siren(
                options.host,
                options.port,
                options.topic,
                clock=SystemClock(),
                on_change=lambda change: _write(change, out),
                username=options.username,
                password=os.environ.get("SIREN_PASSWORD"),
            )
        )
    except KeyboardInterrupt:
        pass
    finally:
        if out is not sys.stdout:
            out.close()


if __name__ == "__main__":
    main()
