"""The machine that the figures belong to."""

import contextlib
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psutil

from safety.clock import SystemClock
from tests.support.third_party import ROOT


def describe_machine() -> dict[str, object]:
    """Processor, memory, kernel, date, revision, and how busy it is before the run."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": _revision(),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _revision() -> str:
    """Short hash of the checkout, with ``+`` if tracked files differ from it."""
    try:
        revision = _git("rev-parse", "--short", "HEAD")
        return revision + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class Neighbours:
    """How much of the machine is used by others than this benchmark and what it started."""

    def __init__(self) -> None:
        self._begun, self._others_s = SystemClock().now().monotonic, _others_s()

    def cores(self) -> float:
        """Cores they have used on average since this was made; figures suffer from 0.1 on."""
        spent = SystemClock().now().monotonic - self._begun
        return max(0.0, (_others_s() - self._others_s) / spent)


def _others_s() -> float:
    times = psutil.cpu_times()
    busy = times.user + times.nice + times.system + times.irq + times.softirq + times.steal
    own = psutil.Process()
    mine = 0.0
    for process in [own, *own.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            spent = process.cpu_times()
            mine += spent.user + spent.system + spent.children_user + spent.children_system
    return float(busy - mine)
