"""A whole plant on loopback: real engine, shards and dashboard, run as their users run them."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from sqlmodel import SQLModel, select

from safety.clock import SystemClock
from safety.config import Settings
from safety.perception.models import find_pose_model
from safety.site.apply import apply_site
from safety.site.document import read_site
from safety.store.database import Database
from safety.store.tables import Alert, Coverage, Delivery, Evidence, ViolationRow
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port
from tests.support.waiting import wait_until

CELL_POLYGON = [
    [0.81482, 0.65855], [1.0, 0.65855], [1.0, 0.50487], [0.88773, 0.36046], [0.69704, 0.36046],
]  # fmt: skip
"""The robot cell in the scene ``cell_intrusion``."""


def pose_model() -> Path:
    """The pose network to test with: the one in the environment, else the bundled one."""
    return find_pose_model(Settings())


class Plant:
    """One installation in a directory of its own.

    Args:
        directory: Where its data go; sockets have short names only in short directories.
        site: The site document, as in YAML.
        environment: Further variables of its processes.
    """

    def __init__(
        self,
        directory: Path,
        site: Mapping[str, Any],
        *,
        environment: Mapping[str, str] | None = None,
        database_url: str = "",
    ) -> None:
        self.directory = directory
        self.settings = Settings(
            data_dir=directory / "data",
            database_url=database_url,
            pose_model=pose_model(),
            port=free_port(),
            metrics_port=free_port(),
        )
        self.clock = SystemClock()
        self.database = Database(self.settings.database)
        self.database.migrate()
        self.site = dict(site)
        self.apply(site)
        self._environment = dict(environment or {})
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logs = directory / "logs"
        self._logs.mkdir(exist_ok=True)

    @property
    def address(self) -> str:
        """The dashboard's address."""
        return f"http://127.0.0.1:{self.settings.port}"

    def apply(self, site: Mapping[str, Any]) -> None:
        """Make this the configuration."""
        self.site = dict(site)
        file = self.directory / "site.yaml"
        file.write_text(yaml.safe_dump(self.site, allow_unicode=True), encoding="utf-8")
        spec = read_site(file, check_secrets=False)
        apply_site(self.database, spec, by="test", now=datetime.now(UTC))

    # Processes

    def start(self, name: str, *, log: Path | None = None) -> subprocess.Popen[bytes]:
        """Start ``engine`` or ``dashboard``; it ends with the plant.

        Args:
            name: Which.
            log: Where its log goes, if not to ``log(name)``.
        """
        self._processes[name] = self._spawn(name, log=log)
        return self._processes[name]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run a command of ours to its end; what it says is in ``log(arguments[0])``."""
        process = self._spawn(*arguments)
        return subprocess.CompletedProcess(process.args, process.wait(60))

    def _spawn(self, *arguments: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        values = self.settings.model_dump(mode="json", exclude_none=True)
        environment = {
            **os.environ,
            **{f"ANJEON_{key.upper()}": str(value) for key, value in values.items()},
            "ANJEON_LOG_FORMAT": "json",
            **self._environment,
        }
        with (log or self._logs / f"{arguments[0]}.log").open("ab") as stream:
            return subprocess.Popen(
                [sys.executable, "-m", "safety.cli", *arguments],
                env=environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def kill(self, name: str) -> None:
        """End one of our processes as a power cut would."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End everything, shards included, and close the database."""
        for process in self._processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shards = self.shards()
        for shard in shards:
            shard.kill()
        psutil.wait_procs(shards, timeout=20)
        self.database.dispose()

    def shards(self) -> list[psutil.Process]:
        """The shards' processes, whoever their parent is."""
        found = []
        for lock in self.settings.run_dir.glob("shard-*.lock"):
            try:
                process = psutil.Process(json.loads(lock.read_text(encoding="utf-8"))["pid"])
                if "shard" in process.cmdline():
                    found.append(process)
            except (psutil.Error, ValueError, KeyError):
                continue
        return found

    def log(self, name: str) -> str:
        """What a process has written."""
        path = self._logs / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    # What it says of itself

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page of the engine's own server; (0, "") if it is not there."""
        address = f"http://127.0.0.1:{self.settings.metrics_port}{path}"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def dashboard_answers(self) -> bool:
        """Whether the dashboard has opened its port."""
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def readiness(self) -> dict[str, str]:
        """Part → ``ok`` or what is wrong with it; empty while the engine is not there."""
        _, body = self.get("/readyz")
        return dict(json.loads(body)) if body else {}

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of one metric, None if there is none."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        for line in self.get("/metrics")[1].splitlines():
            series, _, value = line.rpartition(" ")
            head, _, inside = series.partition("{")
            if head == name and wanted <= set(inside.rstrip("}").split(",")):
                return float(value)
        return None

    def wait_for(self, condition: Callable[[], bool], *, limit_s: float = 90, why: str) -> None:
        """Wait; on time-out say why, with the logs.

        Raises:
            AssertionError: It did not happen.
        """
        try:
            wait_until(condition, limit_s=limit_s)
        except TimeoutError:
            words = "\n".join(self.log(name)[-4000:] for name in ("engine", "dashboard"))
            pytest.fail(f"{why}: did not happen in {limit_s} s\n{self.readiness()}\n{words}")

    def wait_live(self, *cameras: str, limit_s: float = 120) -> None:
        """Wait until these cameras are monitored."""
        self.wait_for(
            lambda: all(self.readiness().get(f"camera {c}") == "ok" for c in cameras),
            limit_s=limit_s,
            why=f"cameras {cameras} live",
        )

    # The record

    def rows(self, table: type[SQLModel]) -> list[Any]:
        """All rows of a table."""
        with self.database.reading() as session:
            return list(session.exec(select(table)).all())

    def violations(self) -> list[ViolationRow]:
        """All violations, in the order of opening."""
        return sorted(self.rows(ViolationRow), key=lambda row: row.opened_at)

    def alerts(self, kind: str = "violation") -> list[Alert]:
        """All alerts of a kind."""
        return [row for row in self.rows(Alert) if row.kind == kind]

    def deliveries(self) -> list[Delivery]:
        """The outbox."""
        return self.rows(Delivery)

    def evidence(self) -> list[Evidence]:
        """All files of evidence."""
        return self.rows(Evidence)

    def coverage(self, camera: str) -> list[Coverage]:
        """A camera's intervals, in order."""
        rows: Sequence[Coverage] = self.rows(Coverage)
        return sorted((r for r in rows if r.camera_id == camera), key=lambda r: r.id or 0)


def cell_site(
    source: Mapping[str, Any],
    channels: Sequence[Mapping[str, Any]] = (),
    *,
    hold_to_open_s: float = 0.0,
    camera: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A site with one camera that looks at the robot cell, and one rule: nobody inside."""
    return {
        "version": 1,
        "name": "Test plant",
        "timezone": "Asia/Seoul",
        "language": "en",
        "cameras": [
            {"id": "cell", "name": "Robot cell", "source": dict(source), **dict(camera or {})}
        ],
        "zones": [
            {"id": "cell-floor", "name": "Cell", "camera_id": "cell", "polygon": CELL_POLYGON}
        ],
        "rules": [
            {
                "id": "cell-intrusion",
                "kind": "intrusion",
                "name": "Nobody in the cell",
                "zone_id": "cell-floor",
                "hold_to_open_s": hold_to_open_s,
                "cooldown_s": 0.0,
            }
        ],
        "channels": [dict(channel) for channel in channels],
    }


def mqtt_siren(broker: Mosquitto, channel_id: str = "siren") -> dict[str, Any]:
    """An MQTT siren's specification."""
    return {
        "id": channel_id,
        "name": "Siren",
        "kind": "mqtt_siren",
        "host": broker.host,
        "port": broker.port,
        "topic": f"plant/{channel_id}",
    }


RECORDING = {"id": "twin", "name": "Recording", "kind": "recording"}


class SirenLog:
    """The siren twin as a process, and what it has shown."""

    def __init__(self, broker: Mosquitto, log: Path, topic: str = "plant/siren") -> None:
        self._log = log
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "alerts.channels.siren_twin",
                "--port", str(broker.port), "--topic", topic, "--log", str(log),
            ]
        )  # fmt: skip

    def changes(self) -> list[dict[str, Any]]:
        """Every change of what it showed, oldest first."""
        if not self._log.exists():
            return []
        return [json.loads(line) for line in self._log.read_text().splitlines() if line]

    def times(self, level: str) -> int:
        """How often it began to show a level."""
        return sum(change["level"] == level for change in self.changes())

    @property
    def level(self) -> str:
        """What it shows now."""
        changes = self.changes()
        return str(changes[-1]["level"]) if changes else "off"

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


MakePlant = Callable[..., Plant]


@pytest.fixture
def make_plant() -> Iterator[MakePlant]:
    """Makes plants, in directories short enough for sockets, and ends them after the test."""
    with ExitStack() as stack:

        def make(site: Mapping[str, Any], **options: Any) -> Plant:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="anj"))
            plant = Plant(Path(directory), site, **options)
            stack.callback(plant.stop)
            return plant

        yield make


@pytest.fixture
def siren(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[SirenLog]:
    """A siren on the test's broker, listening to ``plant/siren``."""
    log = SirenLog(mosquitto, tmp_path / "siren.jsonl")
    yield log
    log.stop()
