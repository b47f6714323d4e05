"""How long it could be told who wears what is counted per camera and item."""

from prometheus_client import CollectorRegistry

from safety.engine.metrics import EngineMetrics
from safety.types import PpeItem, PpeState
from tests.support.live import camera_status


def test_seconds_by_item_and_state() -> None:
    registry = CollectorRegistry()
    seconds = {PpeItem.VEST: {PpeState.WORN: 90.0, PpeState.MISSING: 0.0, PpeState.UNKNOWN: 30.0}}
    EngineMetrics(registry).camera_seen(camera_status("press-1", ppe_seconds=seconds))

    def counted(item: str, state: str) -> float | None:
        labels = {"camera": "press-1", "item": item, "state": state}
        return registry.get_sample_value("anjeon_ppe_person_seconds", labels)

    assert counted("vest", "unknown") == 30
    assert counted("vest", "worn") == 90
    assert counted("hardhat", "unknown") is None
