"""What one report leaves in the record, however often and in whatever order it comes."""

import itertools
from collections.abc import Iterable
from dataclasses import replace

import pytest

from alerts.channels.base import Notice
from alerts.intake import record_violation
from alerts.intake_events import (
    clear_camera_blind,
    clear_channel_failed,
    raise_camera_blind,
    raise_channel_failed,
)
from alerts.notices import SiteContext, notice_from
from safety.clock import Instant
from safety.errors import ChannelError, StoreUnavailable
from safety.i18n import translator
from safety.store import alerts, outbox, violations
from safety.store.database import Database
from safety.store.tables import Alert
from safety.types import Violation
from tests.support.violations import START, cleared, opened, updated

SITE = SiteContext(
    name="Ansan",
    timezone="Asia/Seoul",
    language="en",
    messengers=("hook", "mail"),
    cameras={"cam-1": "Press hall"},
    zones={"zone-1": "Press 3"},
    rules={"rule-1": "No entry"},
    channels={"hook": "Control room"},
)
LATER = START.shifted(30)


def record(
    database: Database,
    *reports: Violation,
    channels: tuple[str, ...] | None = None,
    site: SiteContext = SITE,
) -> None:
    for report in reports:
        with database.transaction() as session:
            record_violation(
                session,
                report,
                rule_channels=channels,
                site=site,
                siren_latency_s=0.08,
                now=LATER,
            )


def all_alerts(database: Database) -> list[Alert]:
    with database.reading() as session:
        return list(alerts.list_alerts(session))


def told(database: Database) -> dict[tuple[str, str], Notice]:
    """Every notice in the outbox, by channel and event."""
    with database.reading() as session:
        deliveries = [
            d for a in alerts.list_alerts(session) for d in outbox.of_alert(session, a.id)
        ]
        return {(d.channel_id, d.event): notice_from(d) for d in deliveries}


def events(database: Database) -> set[tuple[str, str]]:
    return set(told(database))


def test_opening_raises_an_alert_and_tells_every_messenger(database: Database) -> None:
    record(database, opened())
    [alert] = all_alerts(database)
    assert (alert.kind, alert.state, alert.message_key) == (
        "violation",
        "raised",
        "alert.intrusion",
    )
    assert alert.violation_id == "v1"
    assert alert.cleared_at is None
    assert events(database) == {("hook", "raised"), ("mail", "raised")}
    with database.reading() as session:
        assert violations.get(session, "v1").siren_latency_s == 0.08


def test_notice_speaks_the_site_language_and_time(database: Database) -> None:
    record(database, opened())
    notice = told(database)["hook", "raised"]
    assert notice.text == (
        "[Ansan] 2026-01-05 17:00:00 KST: somebody is in Press 3 "
        "(camera Press hall, rule No entry)."
    )
    assert notice.severity == "danger"
    assert notice.raised_at == notice.at == START.wall
    assert notice.data["camera"] == "Press hall"
    assert notice.data["violation_id"] == "v1"


@pytest.mark.parametrize(
    ("language", "items"), [("en", "hard hat, safety vest"), ("ko", "안전모, 안전조끼")]
)
def test_missing_equipment_is_named_in_the_readers_language(
    sqlite_database: Database, language: str, items: str
) -> None:
    without = replace(opened(), rule_kind="missing_ppe", details={"missing": ["hardhat", "vest"]})
    record(sqlite_database, without, site=replace(SITE, language=language))
    notice = told(sqlite_database)["hook", "raised"]
    assert items in notice.text
    assert notice.data["details"] == {"missing": ["hardhat", "vest"]}
    # Whoever opens the alert may read another language than the site's.
    [alert] = all_alerts(sqlite_database)
    title = translator("ko")("alert.title.missing_ppe", **alert.params)
    assert "안전모, 안전조끼" in title


def test_notice_in_korean(database: Database) -> None:
    site = SiteContext(name="안산", timezone="Mars/Base", language="ko", messengers=("hook",))
    record(database, opened(), site=site)
    text = told(database)["hook", "raised"].text
    assert text.startswith("[안산] 2026-01-05 08:00:00 UTC: zone-1")
    assert "사람" in text


@pytest.mark.parametrize(
    ("channels", "expected"),
    [(None, {"hook", "mail"}), (("mail", "siren"), {"mail"}), ((), set())],
)
def test_a_rule_chooses_its_messengers(
    database: Database, channels: tuple[str, ...] | None, expected: set[str]
) -> None:
    record(database, opened(), channels=channels)
    assert {channel for channel, _ in events(database)} == expected
    assert len(all_alerts(database)) == 1


def life() -> list[Violation]:
    first = opened()
    second = updated(first)
    return [first, second, cleared(second)]


def orders() -> Iterable[tuple[int, ...]]:
    yield from itertools.permutations(range(3))
    yield (0, 0, 1, 1, 2, 2)
    yield (2, 0, 2)
    yield (2,)


@pytest.mark.parametrize("order", list(orders()), ids=str)
def test_any_order_and_repetition_leaves_the_same_record(
    sqlite_database: Database, order: tuple[int, ...]
) -> None:
    reports = life()
    record(sqlite_database, *(reports[i] for i in order))
    [alert] = all_alerts(sqlite_database)
    assert alert.cleared_at is not None
    assert alert.raised_at.timestamp() == START.wall
    assert alert.cleared_at.timestamp() == START.wall + 2
    assert events(sqlite_database) == set(
        itertools.product(("hook", "mail"), ("raised", "cleared"))
    )
    with sqlite_database.reading() as session:
        assert violations.get(session, "v1").phase == "closed"


def test_repeating_everything_adds_nothing(database: Database) -> None:
    record(database, *life())
    before = told(database)
    record(database, *life())
    assert told(database) == before


def test_all_or_nothing(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        session.connection().exec_driver_sql("DROP TABLE delivery")
    with pytest.raises(StoreUnavailable, match="lacks tables"):
        record(sqlite_database, opened())
    assert all_alerts(sqlite_database) == []
    with sqlite_database.reading() as session:
        assert violations.list_violations(session) == []


def test_a_database_that_is_away_is_told_apart() -> None:
    away = Database("sqlite:////nowhere/at/all/anjeon.db")
    with pytest.raises(StoreUnavailable):
        record(away, opened())


def blind(database: Database, since: Instant) -> None:
    with database.transaction() as session:
        raise_camera_blind(
            session, camera_id="cam-1", reason="no_frames", since=since, site=SITE, now=LATER
        )


def test_blindness_is_one_alert_until_the_camera_sees_again(database: Database) -> None:
    blind(database, START)
    blind(database, START.shifted(5))
    assert len(all_alerts(database)) == 1, "a restarted engine finds the same blindness again"
    with database.transaction() as session:
        clear_camera_blind(session, camera_id="cam-2", site=SITE, now=LATER)
    assert all_alerts(database)[0].cleared_at is None
    with database.transaction() as session:
        clear_camera_blind(session, camera_id="cam-1", site=SITE, now=LATER)
    with database.transaction() as session:
        clear_camera_blind(session, camera_id="cam-1", site=SITE, now=LATER)
    assert all_alerts(database)[0].cleared_at is not None
    blind(database, START.shifted(60))
    assert len(all_alerts(database)) == 2
    assert "NOT MONITORED" in told(database)["hook", "raised"].text


def test_a_failed_channel_is_told_to_the_others(database: Database) -> None:
    error = ChannelError("channel.timeout", "no answer", channel="hook", seconds=10)
    for _ in range(2):
        with database.transaction() as session:
            raise_channel_failed(session, channel_id="hook", error=error, site=SITE, now=LATER)
    assert events(database) == {("mail", "raised")}
    text = told(database)["mail", "raised"].text
    assert "channel Control room does not work. Channel hook did not answer within 10 s" in text
    with database.transaction() as session:
        clear_channel_failed(session, channel_id="hook", site=SITE, now=LATER)
    assert events(database) == {("mail", "raised"), ("mail", "cleared")}


def test_a_rule_in_shadow_leaves_a_record_and_alerts_nobody(database: Database) -> None:
    first = replace(opened(), shadow=True)
    record(database, first, cleared(first))
    assert all_alerts(database) == []
    with database.reading() as session:
        [row] = violations.list_violations(session)
    assert (row.phase, row.end_reason, row.details["shadow"]) == ("closed", "cleared", True)


def test_the_sentence_may_speak_of_the_place_and_of_what_was_measured(database: Database) -> None:
    crowd = replace(
        opened(), rule_kind="occupancy", zone_id=None, details={"people": 3, "at_most": 2}
    )
    record(database, crowd)
    [alert] = all_alerts(database)
    text = translator("en")(alert.message_key, **alert.params)
    assert "number of people at Press hall (3) is not what it should be" in text
