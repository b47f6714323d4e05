"""Sets up the environments with nothing but Python 3.11: no pip, no venv module needed.

Fetches the ``uv`` named in ``uv.lock``, checks its SHA-256 and runs it. An ``uv`` on the
PATH is used instead. Usage: ``bootstrap.py run|dev|bench|peers``.
"""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".venv-tools"
PEERS = ROOT / ".venv-peers"
PEERS_REQUIREMENTS = ROOT / "tests" / "peers" / "requirements.txt"
PLATFORMS = {"x86_64": "manylinux_2_17_x86_64", "aarch64": "manylinux_2_28_aarch64"}


def locked_wheel() -> tuple[str, str]:
    """URL and SHA-256 of the wheel of ``uv`` for this machine."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    package = next(p for p in lock["package"] if p["name"] == "uv")
    tag = PLATFORMS.get(platform.machine())
    if platform.system() != "Linux" or tag is None:
        sys.exit("bootstrap: install uv yourself (https://docs.astral.sh/uv), then run this again")
    wheel = next(w for w in package["wheels"] if tag in w["url"])
    return wheel["url"], wheel["hash"].removeprefix("sha256:")


def fetch(url: str) -> bytes:
    """The file behind an address; says what to check if it cannot be had."""
    try:
        with urllib.request.urlopen(url, timeout=120) as response:
            return bytes(response.read())
    except urllib.error.URLError as error:
        sys.exit(
            f"bootstrap: cannot download {url}: {error.reason}\n"
            "Check the network and that the package ca-certificates is installed."
        )


def find_uv() -> Path:
    """An ``uv``: the one on the PATH, the one fetched before, or a freshly fetched one."""
    if found := shutil.which("uv"):
        return Path(found)
    url, digest = locked_wheel()
    binary = TOOLS / digest[:12] / "uv"
    if not binary.exists():
        print(f"bootstrap: fetching {url.rsplit('/', 1)[-1]}", flush=True)
        wheel = fetch(url)
        if hashlib.sha256(wheel).hexdigest() != digest:
            sys.exit(f"bootstrap: {url} does not have the locked SHA-256; nothing was run")
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            member = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
            binary.parent.mkdir(parents=True, exist_ok=True)
            part = binary.with_suffix(".part")
            part.write_bytes(archive.read(member))
        part.chmod(0o755)
        part.rename(binary)
    return binary


def main() -> None:
    """Make the environment that was asked for."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "run"
    uv = str(find_uv())
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(ROOT / ".venv")}
    environment.pop("VIRTUAL_ENV", None)

    def call(*arguments: str) -> None:
        done = subprocess.run([*arguments], cwd=ROOT, env=environment, check=False)
        if done.returncode:
            sys.exit(f"bootstrap: '{' '.join(arguments)}' failed; the lines above say why")

    if wanted == "run":
        call(uv, "sync", "--frozen", "--inexact", "--no-default-groups", "--quiet")
    elif wanted == "dev":
        call(uv, "sync", "--frozen", "--inexact", "--quiet")
    elif wanted == "bench":
        # An environment of its own: the trackers to compare with bring another OpenCV.
        environment["UV_PROJECT_ENVIRONMENT"] = str(ROOT / ".venv-bench")
        call(uv, "sync", "--frozen", "--inexact", "--quiet", "--group", "bench")
    elif wanted == "peers":
        # pip, not uv: pip alone honours the find-links of machines that keep a CPU build
        # of torch; uv's resolver would fetch several GB of CUDA libraries.
        if not (PEERS / "bin" / "pip").exists():
            call(uv, "venv", "--quiet", "--seed", "--allow-existing", str(PEERS))
        call(
            str(PEERS / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check",
            "-r", str(PEERS_REQUIREMENTS),
        )  # fmt: skip
    else:
        sys.exit("usage: bootstrap.py run|dev|bench|peers")


if __name__ == "__main__":
    main()
