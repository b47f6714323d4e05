"""Ultralytics' ``model.track``, run in its own environment."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.support.peers import peers_python
from tests.support.third_party import ROOT

_SCRIPT = ROOT / "tests/peers/ultralytics_track.py"
_LIMIT_S = 180

NETWORK_PX = (640, 384)


class Peer:
    """Ultralytics with OpenVINO exports of some weights, one per number of streams.

    Args:
        weights: Ultralytics ``.pt``.
        folder: Where exports and its settings go.

    Raises:
        pytest.skip.Exception: Its environment is not there.
    """

    def __init__(self, weights: Path, folder: Path) -> None:
        self._python = peers_python()
        self._weights = weights
        self._folder = folder
        self._exports: dict[int, str] = {}

    def export(self, streams: int) -> str:
        """The network for so many streams; made once."""
        if streams not in self._exports:
            job = {
                "export": str(self._weights),
                "batch": streams,
                "network_px": NETWORK_PX,
                "to": str(self._folder),
            }
            self._exports[streams] = self._run(job)
        return self._exports[streams]

    def track(
        self,
        url: str,
        streams: int,
        *,
        warm_up_s: float,
        seconds: float,
        tracker: str = "bytetrack.yaml",
        precision: str | None = None,
    ) -> dict[str, float]:
        """``fps`` over so many connections to one address, and ``cpu``: cores used."""
        job = {
            "model": self.export(streams),
            "urls": [url] * streams,
            "tracker": tracker,
            "precision": precision,
            "network_px": NETWORK_PX,
            "warm_up_s": warm_up_s,
            "seconds": seconds,
            "folder": str(self._folder),
        }
        figures: dict[str, float] = json.loads(self._run(job))
        return figures

    def _run(self, job: dict[str, Any]) -> str:
        # Ultralytics keeps settings in the home directory, unless told where else.
        environment = os.environ | {
            "YOLO_CONFIG_DIR": str(self._folder),
            "YOLO_AUTOINSTALL": "false",
        }
        done = subprocess.run(
            [str(self._python), str(_SCRIPT), json.dumps(job)],
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
            env=environment,
        )
        if done.returncode:
            raise RuntimeError(f"Ultralytics failed: {done.stderr[-2000:]}")
        return done.stdout.rstrip().splitlines()[-1]
