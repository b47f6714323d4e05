"""What every fault costs: tests of faults say it, ``make faults`` makes docs/faults.md of it."""

import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from safety import __version__

AREAS = (
    "Camera", "Shard", "Engine", "Dashboard", "Database", "Siren", "Messenger", "Clock", "Machine",
)  # fmt: skip

LATE_S = 1.0

TEMPLATE = """# What faults cost

Each line is a fault that the tests in `tests/faults` bring about for real: processes are
killed, servers stopped, disks filled. This page is written by `make faults`; nobody edits it.

- **Alerts**: how many alerts the fault could have cost. **Lost**: how many of them were missing
  at the end.
- **Late**: how many took longer than a second to reach the record or the receiver, and how long
  the slowest took; "–" where that was not timed. A siren waits for no record and no messenger.
- **Coverage**: whether the record called the camera blind for the time that nothing was seen,
  and only then.
- **Siren**: milliseconds from a report to the siren's confirmation, of so many commands the 99th
  percentile, where the fault leaves a siren within reach. "sounded": seen to sound, not timed.

Made on {when} with version {version} on {where}: {faults} faults, {alerts} alerts, {lost} lost.

| Fault | Brought about by | Alerts | Lost | Late | Coverage | Siren |
|---|---|---|---|---|---|---|
{rows}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one fault cost.

    Attributes:
        area: One of ``AREAS``.
        fault: What went wrong, in a few words.
        how: How the test brings it about.
        alerts: How many it could have cost.
        lost: How many were missing at the end.
        waits_s: How long each took to reach the record or the receiver, seconds.
        covered: Whether the coverage record is true; None: no camera is concerned.
        siren_s: From report to confirmed command, seconds, one per command.
        sounded: Whether the siren was seen to sound; None: it could not be reached.
    """

    area: str
    fault: str
    how: str
    alerts: int = 0
    lost: int = 0
    waits_s: Sequence[float] = ()
    covered: bool | None = None
    siren_s: Sequence[float] = ()
    sounded: bool | None = None

    def __add__(self, other: "Cost") -> "Cost":
        """The same fault, brought about once more."""
        return replace(
            self,
            alerts=self.alerts + other.alerts,
            lost=self.lost + other.lost,
            waits_s=[*self.waits_s, *other.waits_s],
            covered=_both(self.covered, other.covered),
            siren_s=[*self.siren_s, *other.siren_s],
            sounded=_both(self.sounded, other.sounded),
        )

    def row(self) -> str:
        """A line of the table."""
        slow = [wait for wait in self.waits_s if wait > LATE_S]
        late = f"{len(slow)} ({max(slow):.1f} s)" if slow else "0"
        cells = (
            f"{self.area}: {self.fault}",
            self.how,
            str(self.alerts) if self.alerts else "–",
            str(self.lost) if self.alerts else "–",
            late if self.waits_s else "–",
            {True: "true", False: "**false**", None: "–"}[self.covered],
            self._siren(),
        )
        return f"| {' | '.join(cells)} |"

    def _siren(self) -> str:
        if self.siren_s:
            return f"{percentile(self.siren_s, 0.99) * 1000:.0f} ms of {len(self.siren_s)}"
        return {True: "sounded", False: "**silent**", None: "–"}[self.sounded]


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[ceil(len(ordered) * share) - 1]


def table(costs: Iterable[Cost], *, when: str, where: str) -> str:
    """The page."""
    ordered = sorted(costs, key=lambda cost: (AREAS.index(cost.area), cost.fault))
    rows = []
    for _, same in groupby(ordered, key=lambda cost: (cost.area, cost.fault)):
        first, *more = same
        rows.append(sum(more, start=first))
    return TEMPLATE.format(
        when=when,
        where=where,
        version=__version__,
        faults=len(rows),
        alerts=sum(row.alerts for row in rows),
        lost=sum(row.lost for row in rows),
        rows="\n".join(row.row() for row in rows),
    )


@dataclass(slots=True)
class FaultTable:
    """Collects what the tests say, from all their processes; writes the page at the end."""

    path: Path
    costs: list[Cost] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test that passed has found."""
        if report.when == "call" and report.passed:
            found = [value for name, value in report.user_properties if name == "fault"]
            self.costs += [Cost(**value) for value in found if isinstance(value, dict)]

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the page, unless something failed."""
        if exitstatus == 0:
            when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
            self.path.write_text(table(self.costs, when=when, where=_machine()), encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the page goes."""
    parser.addoption("--fault-table", type=Path, help="write what faults cost into this page")


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that shares the tests out writes."""
    path = config.getoption("--fault-table")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FaultTable(path))


@pytest.fixture
def cost(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Says what a fault cost: takes the fields of ``Cost``."""

    def say(area: str, fault: str, how: str, **figures: Any) -> None:
        assert area in AREAS
        said = Cost(area=area, fault=fault, how=how, **figures)
        assert said.lost == 0, f"{said.lost} of {said.alerts} alerts are lost"
        record_property("fault", asdict(said))

    return say


def _both(one: bool | None, other: bool | None) -> bool | None:
    known = [each for each in (one, other) if each is not None]
    return all(known) if known else None


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.machine()
    return f"{platform.system()}, {os.cpu_count()} cores ({processor})"
