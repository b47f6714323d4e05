"""Ultralytics as an engine of the product passes the detectors' contract suites."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.peers import peers_python
from tests.support.third_party import ROOT

pytestmark = pytest.mark.peers


@pytest.mark.timeout(300)
def test_passes_the_contract_suites(tmp_path: Path) -> None:
    run = subprocess.run(
        [
            *(str(peers_python()), "-m", "pytest", "-c", "tests/peers/contract.ini"),
            *("--rootdir", str(ROOT), "-q", "-k", "ultralytics or engines_agree"),
            *("tests/contracts/test_detectors.py", "tests/contracts/test_object_detectors.py"),
        ],
        cwd=ROOT,
        env={**os.environ, "YOLO_CONFIG_DIR": str(tmp_path), "YOLO_AUTOINSTALL": "false"},
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:]
    assert " passed" in run.stdout
