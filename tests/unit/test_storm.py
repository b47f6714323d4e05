"""Which messages go when too many wait, and what a summary says."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from alerts.dispatch_metrics import DispatchMetrics
from alerts.notices import SiteContext
from alerts.policy_spec import LimitSpec, PolicySpec
from alerts.storm import StormGuard, TokenBucket, choose, summary_of
from safety.clock import ManualClock
from safety.store.tables import Delivery
from tests.support.database import NOON, after


def delivery(number: int, **values: Any) -> Delivery:
    payload = {
        "severity": values.pop("severity", "danger"),
        "raised_at": NOON.timestamp() + number,
        "at": NOON.timestamp() + number,
        "text": f"[Ansan] somebody is in zone {number}.",
        "data": values.pop("data", {}),
        "recipients": values.pop("recipients", []),
    }
    row: dict[str, Any] = {
        "id": f"d{number}",
        "alert_id": f"a{number}",
        "channel_id": "hook",
        "event": "raised",
        "payload": payload,
        "state": "pending",
        "attempts": 0,
        "created_at": after(number),
        "next_attempt_at": after(number),
        "deadline_at": after(number) + timedelta(hours=24),
    }
    return Delivery(**{**row, **values})


@pytest.mark.parametrize(
    ("waiting", "tokens", "appetite", "single", "folded"),
    [
        (0, 5, 20, 0, 0),
        (3, 5, 20, 3, 0),
        (5, 5, 20, 5, 0),
        (6, 5, 20, 4, 2),
        (500, 5, 20, 4, 496),
        (500, 1, 20, 0, 500),
        (500, 0, 20, 0, 0),
        (500, 5, 0, 0, 0),
        (500, 5, 1, 0, 500),
        (30, 40, 20, 20, 0),
        (2, 1, 20, 0, 2),
        (1, 1, 1, 1, 0),
    ],
)
def test_a_few_go_by_themselves_and_the_rest_together(
    waiting: int, tokens: int, appetite: int, single: int, folded: int
) -> None:
    chosen = choose([delivery(n) for n in range(waiting)], tokens=tokens, appetite=appetite)
    assert (len(chosen.single), len(chosen.folded)) == (single, folded)


def test_the_most_urgent_go_by_themselves() -> None:
    rows = [delivery(n, severity="info" if n < 5 else "danger") for n in range(8)]
    chosen = choose(rows, tokens=4, appetite=20)
    assert {each.payload["severity"] for each in chosen.single} == {"danger"}


def test_what_may_have_arrived_is_never_folded() -> None:
    rows = [delivery(n, attempts=int(n in {6, 7})) for n in range(8)]
    summary = delivery(8, event="summary:ab")
    chosen = choose([*rows, summary], tokens=4, appetite=20)
    assert {"d6", "d7", "d8"} <= {each.id for each in chosen.single}


@given(
    attempts=st.lists(st.integers(0, 2), max_size=40),
    tokens=st.integers(0, 20),
    appetite=st.integers(0, 20),
)
def test_nothing_goes_twice_and_never_more_than_allowed(
    attempts: list[int], tokens: int, appetite: int
) -> None:
    rows = [delivery(n, attempts=tried) for n, tried in enumerate(attempts)]
    chosen = choose(rows, tokens=tokens, appetite=appetite)
    ids = [each.id for each in (*chosen.single, *chosen.folded)]
    assert len(ids) == len(set(ids))
    assert chosen.messages <= min(tokens, appetite)
    assert len(chosen.folded) != 1
    assert all(each.attempts == 0 for each in chosen.folded)
    if rows and min(tokens, appetite) > 0:
        assert ids, "something goes whenever something may"


def test_a_bucket_fills_again_with_time_and_no_further_than_full() -> None:
    clock = ManualClock()
    bucket = TokenBucket(LimitSpec(burst=3, per_minute=6), clock.now())
    assert bucket.level(clock.now()) == 3
    bucket.take(3)
    assert bucket.level(clock.now()) == 0
    clock.advance(10)
    assert bucket.level(clock.now()) == 1
    clock.advance(600)
    assert bucket.level(clock.now()) == 3


def test_a_summary_counts_names_a_few_and_lists_all() -> None:
    site = SiteContext(name="Ansan", timezone="UTC", language="en")
    joined = {"alerts": [{"alert_id": "b1"}, {"alert_id": "b2"}]}
    rows = [
        delivery(0, severity="warning", event="updated:1", data=joined),
        *(delivery(n) for n in range(1, 10)),
    ]
    payload = summary_of(rows, site, after(60))
    assert payload["text"] == (
        "[Ansan] 10 more: somebody is in zone 0. / somebody is in zone 1. / somebody is in zone 2."
    )
    assert payload["severity"] == "danger"
    listed = payload["data"]["alerts"]
    assert [each["alert_id"] for each in listed] == [f"a{n}" for n in range(10)]
    assert listed[0]["joined"] == ["b1", "b2"]


def test_channels_for_programs_are_not_limited() -> None:
    guard = StormGuard(ManualClock(), DispatchMetrics(CollectorRegistry()))
    guard.configure(
        SiteContext(name="A", timezone="UTC", language="en", policy=PolicySpec(unlimited=("hook",)))
    )
    assert not guard.limits("hook")
    assert guard.limits("chat")
