"""What is said of metrics elsewhere names metrics that there are, and ladders are counted."""

import json
import re
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from alerts.dispatch_metrics import DispatchMetrics
from alerts.policy_metrics import PolicyMetrics
from alerts.siren_metrics import SirenMetrics
from safety.engine.metrics import EngineMetrics
from safety.store.conversations import Unanswered
from tests.support.database import NOON, after
from tests.support.third_party import ROOT

DASHBOARD = ROOT / "docs" / "grafana" / "alerts.json"
OPERATIONS = ROOT / "docs" / "operations.md"
_NAME = re.compile(r"anjeon_[a-z_]+")


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    for metrics in (EngineMetrics, DispatchMetrics, PolicyMetrics, SirenMetrics):
        metrics(registry)
    return registry


def names(registry: CollectorRegistry) -> Iterator[str]:
    """Of all series, as Prometheus stores them."""
    for metric in registry.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
        for suffix in suffixes.get(metric.type, ("",)):
            yield metric.name + suffix


def test_the_dashboard_asks_for_metrics_that_there_are(registry: CollectorRegistry) -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    asked = {
        name
        for panel in panels
        for target in panel["targets"]
        for name in _NAME.findall(target["expr"])
    }
    assert len(asked) > len(panels)
    assert asked <= set(names(registry))
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_manual_names_metrics_that_there_are(registry: CollectorRegistry) -> None:
    named = set(re.findall(r"^\| `(anjeon_[a-z_]+)", OPERATIONS.read_text("utf-8"), re.MULTILINE))
    assert "anjeon_ladder_steps_total" in named
    assert named <= {name.removesuffix("_bucket") for name in names(registry)}


@pytest.mark.parametrize(
    ("found", "number", "age_s"),
    [
        (Unanswered(0, None), 0.0, 0.0),
        (Unanswered(3, NOON), 3.0, 90.0),
        (Unanswered(1, after(3600)), 1.0, 0.0),
    ],
    ids=["none", "some", "the clock was set back since"],
)
def test_who_waits_for_an_answer(found: Unanswered, number: float, age_s: float) -> None:
    registry = CollectorRegistry()
    PolicyMetrics(registry).unanswered(found, after(90))
    assert registry.get_sample_value("anjeon_conversations_unacknowledged") == number
    age = registry.get_sample_value("anjeon_conversation_unacknowledged_age_seconds")
    assert age == pytest.approx(age_s)
