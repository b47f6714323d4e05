"""A hundred violations a second for a minute: sirens, record, messages, memory.

A real engine in a process of its own, on SQLite and on PostgreSQL, with a siren behind a real
Mosquitto, a webhook and a recording that get every notice, and a ladder of two steps. What a
shard would send comes from here, over the engine's socket: every violation is opened, and closed
a second later. Usage: ``python -m tests.bench storm``.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from sqlalchemy import text

from cameras.messages import Hello, ViolationReport, ViolationStored
from cameras.wire import encode, read_frame
from safety.clock import SystemClock
from safety.types import Violation
from tests.support.mosquitto import Mosquitto
from tests.support.plant import RECORDING, Plant, SirenLog, mqtt_siren
from tests.support.postgres import PostgresServer
from tests.support.requirements import need
from tests.support.violations import cleared, opened
from tests.support.webhook_receiver import SECRET, WebhookReceiver

PER_SECOND = 100
SECONDS = 60
LASTS_S = 1.0
ZONES = 50
"""As many conversations: all that happens in one place joins one."""

BUDGET_S = 0.2
CPU_BUDGET_MS = 3.0
WARM_S = 10
MESSENGERS = ("hook", "twin")


def run() -> dict[str, float]:
    """Measure, print, and return the figures of each database."""
    need("mosquitto")
    figures: dict[str, float] = {}
    for kind in ("sqlite", "postgresql"):
        found = asyncio.run(_measure(kind, SECONDS))
        figures |= {f"{kind}_{key}": value for key, value in found.items()}
        _print(kind, found)
    return figures


async def _measure(kind: str, seconds: float) -> dict[str, float]:
    """Figures of one database.

    Returns:
        ``cpu_ms``: the engine's processor time for one violation opened and closed;
        ``siren_p50_s``, ``siren_p99_s``, ``siren_max_s``: report to the broker's confirmation;
        ``stored_p50_s``, ``stored_p99_s``: report to the confirmation that it is on record;
        ``rss_mb_10s``, ``rss_mb_end``; ``violations``; ``lost``: not on record, not closed, or
        without an alert; ``deliveries`` to all messengers; ``undelivered``; ``drained_s``: until
        nothing waited any more.
    """
    receiver = WebhookReceiver()
    await receiver.start()
    with _plant(kind, receiver.url) as plant:
        engine = psutil.Process(plant.start("engine").pid)
        await asyncio.to_thread(plant.wait_for, lambda: _is_ready(plant), why="engine ready")
        async with _Shard(socket=plant.settings.engine_socket) as shard:
            began, spent = shard.clock.now().monotonic, _cpu_s(engine)
            memory = asyncio.create_task(_memory(engine, seconds))
            await shard.storm(seconds)
            await asyncio.to_thread(
                plant.wait_for,
                lambda: shard.closed.keys() == shard.opened.keys(),
                limit_s=5 * SECONDS,
                why="everything on record",
            )
            rss = await memory
            figures = await asyncio.to_thread(_of_record, plant, set(shard.opened))
            cpu_s = _cpu_s(engine) - spent
            drained_s = shard.clock.now().monotonic - began - seconds
    await receiver.stop()
    stored = [at - shard.opened[key] for key, at in shard.stored.items()]
    return figures | rss | {
        "violations": len(shard.opened),
        "cpu_ms": 1000 * cpu_s / len(shard.opened),
        "stored_p50_s": float(np.percentile(stored, 50)),
        "stored_p99_s": float(np.percentile(stored, 99)),
        "drained_s": drained_s,
    }  # fmt: skip


def _of_record(plant: Plant, sent: set[str]) -> dict[str, float]:
    """Wait until the outbox is empty, and count."""
    plant.wait_for(lambda: _waiting(plant) == 0, limit_s=300, why="everything delivered")
    with plant.database.reading() as session:
        closed = set(session.execute(text("SELECT id FROM violation WHERE phase = 'closed'")))
        alerts = list(session.execute(text("SELECT violation_id, id, lead_id FROM alert")))
        deliveries = session.execute(text("SELECT state FROM delivery")).scalars().all()
        latencies = session.execute(text("SELECT siren_latency_s FROM violation")).scalars().all()
    assert len(alerts) == len({row[0] for row in alerts}), "two alerts for one violation"
    known = {row[0] for row in closed} & {row[0] for row in alerts}
    heard = [each for each in latencies if each is not None]
    return {
        "lost": len(sent - known),
        "unsounded": len(latencies) - len(heard),
        "undelivered": sum(state != "delivered" for state in deliveries),
        "deliveries": len(deliveries),
        "siren_p50_s": float(np.percentile(heard, 50)),
        "siren_p99_s": float(np.percentile(heard, 99)),
        "siren_max_s": float(max(heard)),
    }


def _waiting(plant: Plant) -> int:
    with plant.database.reading() as session:
        query = text("SELECT count(*) FROM delivery WHERE state = 'pending'")
        return int(session.execute(query).scalar_one())


@dataclass(kw_only=True)
class _Shard:
    """The other end of the engine's socket.

    Attributes:
        opened, stored, closed: When a violation was reported, was confirmed to be on record,
            and was confirmed to be on record as closed; monotonic.
    """

    socket: Path
    clock: SystemClock = field(default_factory=SystemClock)
    opened: dict[str, float] = field(default_factory=dict)
    stored: dict[str, float] = field(default_factory=dict)
    closed: dict[str, float] = field(default_factory=dict)
    _open: list[Violation] = field(default_factory=list)

    async def __aenter__(self) -> "_Shard":
        reader, self._writer = await asyncio.open_unix_connection(self.socket)
        self._writer.write(encode(Hello(role="shard", name="shard-9", pid=os.getpid())))
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await asyncio.wait([self._reading])

    async def storm(self, seconds: float) -> None:
        """Report, evenly spread."""
        began = self.clock.now().monotonic
        for number in range(round(PER_SECOND * seconds)):
            await asyncio.sleep(began + number / PER_SECOND - self.clock.now().monotonic)
            self._begin(number)
            self._end_old()
            await self._writer.drain()
        while self._open:
            await asyncio.sleep(0.01)
            self._end_old()

    def _begin(self, number: int) -> None:
        at = self.clock.now()
        place = number % ZONES
        violation = replace(
            opened(f"v{number:06d}", at=at, zone_id=f"zone-{place}"),
            rule_id=f"rule-{place}",
            subject=f"person-{number}",
        )
        self.opened[violation.id] = at.monotonic
        self._open.append(violation)
        self._writer.write(encode(ViolationReport(violation=violation)))

    def _end_old(self) -> None:
        before = self.clock.now().monotonic - LASTS_S
        while self._open and self._open[0].opened_at.monotonic <= before:
            over = cleared(self._open.pop(0), LASTS_S)
            self._writer.write(encode(ViolationReport(violation=over)))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                message, _ = await read_frame(reader)
                if isinstance(message, ViolationStored):
                    known = self.closed if message.revision else self.stored
                    known[message.violation_id] = self.clock.now().monotonic


async def _memory(engine: psutil.Process, seconds: float) -> dict[str, float]:
    await asyncio.sleep(min(WARM_S, seconds / 2))
    early = engine.memory_info().rss
    await asyncio.sleep(seconds - min(WARM_S, seconds / 2))
    return {"rss_mb_10s": early / 1e6, "rss_mb_end": engine.memory_info().rss / 1e6}


def _cpu_s(engine: psutil.Process) -> float:
    times = engine.cpu_times()
    return float(times.user + times.system)


def _is_ready(plant: Plant) -> bool:
    parts = plant.readiness()
    return parts.get("configuration") == "ok" and parts.get("channel siren") == "ok"


def site(broker: Mosquitto, receiver_url: str) -> dict[str, Any]:
    """One camera that is switched off, and a rule in each of its zones.

    The rules name the siren behind the broker alone, so that the recording, which is a siren
    too, does not answer for it.
    """
    square = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]
    hook = {"id": "hook", "name": "Hook", "kind": "webhook", "url": receiver_url}
    places = range(ZONES)
    return {
        "version": 1,
        "name": "Storm",
        "timezone": "Asia/Seoul",
        "language": "ko",
        "cameras": [
            {"id": "cam-1", "name": "Camera", "enabled": False, "source": {"kind": "synthetic"}}
        ],
        "zones": [
            {
                "id": f"zone-{n}",
                "name": f"Zone {n}",
                "camera_id": "cam-1",
                "polygon": [list(corner) for corner in square],
            }
            for n in places
        ],
        "rules": [
            {
                "id": f"rule-{n}",
                "kind": "intrusion",
                "name": f"Rule {n}",
                "zone_id": f"zone-{n}",
                "channels": ["siren"],
            }
            for n in places
        ],
        "channels": [mqtt_siren(broker), hook | {"secret": "env:HOOK_SECRET"}, RECORDING],
        "policy": {
            "unlimited": list(MESSENGERS),
            "routes": [
                {
                    "id": "all",
                    "name": "All",
                    "steps": [
                        {"channels": list(MESSENGERS)},
                        {"after_s": 30, "channels": list(MESSENGERS)},
                    ],
                }
            ],
        },
    }


@contextmanager
def _plant(kind: str, hook: str) -> Iterator[Plant]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="anj")))
        broker = Mosquitto(folder)
        broker.start()
        stack.callback(broker.stop)
        siren = SirenLog(broker, folder / "siren.jsonl")
        stack.callback(siren.stop)
        plant = Plant(
            folder,
            site(broker, hook),
            environment={"ANJEON_LOG_LEVEL": "WARNING", "HOOK_SECRET": SECRET},
            database_url=_database_url(kind, folder, stack),
        )
        stack.callback(plant.stop)
        yield plant


def _database_url(kind: str, folder: Path, stack: ExitStack) -> str:
    if kind == "sqlite":
        return ""
    (folder / "server").mkdir()
    folder.chmod(0o755)
    server = PostgresServer(folder / "server")
    server.start()
    stack.callback(server.stop)
    return server.new_database()


def _print(kind: str, found: Mapping[str, float]) -> None:
    cpu = found["cpu_ms"]
    sys.stdout.write(
        f"{kind}: {found['violations']:.0f} violations, {found['lost']:.0f} lost, "
        f"{found['deliveries']:.0f} deliveries, {found['undelivered']:.0f} undelivered, "
        f"all done after {found['drained_s']:.1f} s\n"
        f"  processor {cpu:.2f} ms each ({cpu / CPU_BUDGET_MS:.2f} of the budget)\n"
        f"  siren p50 {1000 * found['siren_p50_s']:.0f} ms, p99 {1000 * found['siren_p99_s']:.0f} "
        f"ms ({found['siren_p99_s'] / BUDGET_S:.2f} of the budget), longest "
        f"{1000 * found['siren_max_s']:.0f} ms, {found['unsounded']:.0f} without\n"
        f"  on record p50 {1000 * found['stored_p50_s']:.0f} ms, p99 "
        f"{1000 * found['stored_p99_s']:.0f} ms\n"
        f"  memory {found['rss_mb_10s']:.0f} MB after {WARM_S} s, {found['rss_mb_end']:.0f} MB "
        f"at the end ({found['rss_mb_end'] / found['rss_mb_10s']:.2f})\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    run()
