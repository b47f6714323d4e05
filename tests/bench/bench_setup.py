"""From a bare checkout to the first alert: seconds and megabytes.

Clones this checkout's last commit into a new directory and uses it as somebody would who
reads the README: ``make setup`` and ``make demo``, with the system's Python and without any
``uv`` on the PATH. *Cold* is an empty download cache, *warm* a full one. Usage:
``python -m tests.bench setup``.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from safety.clock import SystemClock
from tests.support.third_party import ROOT, shared_folder

SETUP_LIMIT_S = 600.0
BUDGET_S = 60.0
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_FIRST_ALERT = "first alert reached the siren"


def run() -> dict[str, object]:
    """Measure, print a table, and return its figures.

    Returns:
        ``setup_cold_s``, ``setup_warm_s``: ``make setup``; ``megabytes`` (10^6 bytes on disk)
        and ``packages`` of the environment; ``torch``: whether it is in it. ``alert_ready_s``,
        ``alert_warm_s``, ``alert_cold_s``: from ``make demo`` to the first alert with the
        environment there, with only the downloads there, and with nothing there.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        checkout = Checkout(Path(name))
        figures: dict[str, object] = {"setup_cold_s": checkout.make("setup")}
        figures |= checkout.size()
        figures["alert_ready_s"] = checkout.demo()
        checkout.forget(downloads=False)
        figures["setup_warm_s"] = checkout.make("setup")
        checkout.forget(downloads=False)
        figures["alert_warm_s"] = checkout.demo()
        checkout.forget(downloads=True)
        figures["alert_cold_s"] = checkout.demo()
    sys.stdout.write(
        "make setup      {setup_cold_s:5.1f} s cold, {setup_warm_s:5.1f} s warm\n"
        "environment     {megabytes:5.0f} MB, {packages} packages, torch: {torch}\n"
        "make demo to the first alert: {alert_ready_s:5.1f} s with the environment, "
        "{alert_warm_s:5.1f} s with the downloads, {alert_cold_s:5.1f} s with nothing "
        f"(budget {BUDGET_S:.0f} s)\n".format(**figures)
    )
    return figures


class Checkout:
    """A clone in a directory of its own, as on a machine that never saw Anjeon.

    Args:
        folder: Empty directory.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "anjeon"
        self._cache = folder / "cache"
        # Where the demo looks for weights that the package does not carry yet.
        (folder / "shared").symlink_to(shared_folder())
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(self._path)], check=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANJEON_", "VIRTUAL_"))}
        self._environment = kept | {
            "PATH": _SYSTEM_PATH,
            "UV_CACHE_DIR": str(self._cache / "uv"),
            "npm_config_cache": str(self._cache / "npm"),
            # Free ports: another Anjeon may run on this machine.
            "ANJEON_PORT": "0",
            "ANJEON_METRICS_PORT": "0",
        }

    def make(self, target: str) -> float:
        """Seconds that a target of the Makefile takes."""
        clock = SystemClock()
        begun = clock.now().monotonic
        subprocess.run(
            ["make", target],
            cwd=self._path,
            env=self._environment,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=SETUP_LIMIT_S,
        )
        return clock.now().monotonic - begun

    def demo(self) -> float:
        """Seconds from ``make demo`` to its first alert; the demo is ended then."""
        clock = SystemClock()
        begun = clock.now().monotonic
        with subprocess.Popen(
            ["make", "demo", "ARGS=--headless"],
            cwd=self._path,
            env=self._environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            reached = any(_FIRST_ALERT in line for line in process.stdout)
            seconds = clock.now().monotonic - begun
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
        assert reached, "make demo ended without an alert"
        return seconds

    def size(self) -> dict[str, object]:
        """What the environment takes on disk and what is in it."""
        environment = self._path / ".venv"
        files = [path for path in environment.rglob("*") if not path.is_symlink()]
        packages = {path.name.split("-")[0].lower() for path in environment.rglob("*.dist-info")}
        return {
            "megabytes": sum(path.stat().st_blocks * 512 for path in files) / 1e6,
            "packages": len(packages),
            "torch": "torch" in packages,
        }

    def forget(self, *, downloads: bool) -> None:
        """Delete the environment, and what was downloaded for it too if wanted."""
        for name in (".venv", "dashboard/static/vendor"):
            shutil.rmtree(self._path / name, ignore_errors=True)
        if downloads:
            shutil.rmtree(self._path / ".venv-tools", ignore_errors=True)
            shutil.rmtree(self._cache)


if __name__ == "__main__":
    run()
