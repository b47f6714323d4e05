"""What is known of the equipment reaches the viewer's canvas and the evidence picture."""

import json
from dataclasses import replace

import numpy as np

from cameras.live import metadata
from cameras.overlay import caption
from dashboard.overlay import Overlay
from safety.clock import Instant
from safety.types import Frame, PpeItem, PpeState
from tests.support.analyses import analysis_of
from tests.support.pictures import WholePicture
from tests.support.ppe import standing
from tests.support.violations import opened

NOW = Instant(wall=1e9, monotonic=100.0)
PICTURE = np.zeros((36, 64, 3), np.uint8)


def test_the_canvas_is_told_who_wears_what_where_somebody_looked() -> None:
    worn = {PpeItem.HARDHAT: PpeState.MISSING, PpeItem.VEST: PpeState.UNKNOWN}
    frame = Frame(
        camera_id="cam",
        sequence=1,
        captured_at=NOW,
        width_px=64,
        height_px=36,
        picture=PICTURE,
        full=WholePicture(PICTURE),
    )
    looked_at, other = replace(standing(1, 0.3, 0.9), ppe=worn), standing(2, 0.7, 0.9)
    seen = analysis_of(frame, looked_at, other)
    first, second = json.loads(Overlay(metadata(seen, 0.0)).packed)["p"]
    assert first[3:] == [{"hardhat": "missing", "vest": "unknown"}]
    assert second[3:] == []


def test_the_evidence_picture_says_what_is_missing() -> None:
    assert "no hardhat, vest" in caption(
        replace(opened(), details={"missing": ["hardhat", "vest"]})
    )
    assert "  no " not in caption(opened())
