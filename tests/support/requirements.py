"""Servers and programs that some tests need: skip where absent, fail under ``CI=true``."""

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache

import pytest

DEBIAN_PYTHON = "/usr/bin/python3"
"""The interpreter that Debian's GObject bindings are installed for."""

_GSTREAMER = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
wanted = ("x264enc", "h264parse", "h265parse", "rtph264pay", "rtph265pay", "qtdemux", "appsrc")
missing = [name for name in wanted if Gst.ElementFactory.find(name) is None]
raise SystemExit("GStreamer lacks " + ", ".join(missing) if missing else 0)
"""


@cache
def _gst_rtsp_server() -> bool:
    try:
        check = subprocess.run(
            [DEBIAN_PYTHON, "-c", _GSTREAMER], capture_output=True, timeout=60, check=False
        )
    except OSError:
        return False
    return check.returncode == 0


@cache
def _chromium() -> bool:
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


@cache
def _postgres() -> bool:
    return shutil.which("pg_ctlcluster") is not None or shutil.which("initdb") is not None


_CHECKS: dict[str, tuple[Callable[[], bool], str]] = {
    "chromium": (_chromium, "chromium"),
    "faketime": (lambda: shutil.which("faketime") is not None, "faketime"),
    "gst-rtsp-server": (
        _gst_rtsp_server,
        (
            "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base "
            "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
        ),
    ),
    "mosquitto": (
        # Debian installs the broker outside an ordinary user's PATH.
        lambda: (
            (shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")) is not None
        ),
        "mosquitto mosquitto-clients",
    ),
    "postgres": (_postgres, "postgresql"),
}


def need(program: str) -> None:
    """Skip the running test if a program is absent; fail instead where ``CI=true``.

    Args:
        program: ``chromium``, ``faketime``, ``gst-rtsp-server``, ``mosquitto``, ``postgres``,
            or any command looked up in ``PATH``.
    """
    check, packages = _CHECKS.get(program, (lambda: shutil.which(program) is not None, program))
    if check():
        return
    reason = f"{program} is not installed (Debian: apt-get install {packages})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
