"""Messengers that show pictures get blurred ones; words never fail for want of one."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from alerts.channels.base import Notice, Receipt
from alerts.delivery_worker import DispatchTimings, PictureOf
from alerts.dispatcher import Dispatcher
from alerts.intake import record_violation
from alerts.notices import SiteContext
from safety.clock import SystemClock
from safety.config import Settings
from safety.evidence import sharing
from safety.evidence.copies import Copies, detector_maker
from safety.evidence.sharing import SharedPictures
from safety.store import evidence
from safety.store.database import Database
from tests.support.database import NOON
from tests.support.sirens import FickleChannel
from tests.support.violations import opened
from tests.support.waiting import until

CLOCK = SystemClock()


class Shower(FickleChannel):
    """Keeps the pictures that it is sent."""

    def __init__(self, directory: Path, *, takes_picture: bool) -> None:
        super().__init__("shower", directory, CLOCK)
        self.takes_picture = takes_picture
        self.pictures: list[bytes | None] = []

    async def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        self.pictures.append(notice.picture)
        return await super().send(notice, timeout_s=timeout_s)


async def sent(database: Database, channel: Shower, picture_of: PictureOf) -> list[bytes | None]:
    """What a channel is sent of one violation."""
    site = SiteContext(name="Site", timezone="UTC", language="en", messengers=("shower",))
    with database.transaction() as session:
        record_violation(
            session,
            replace(opened("v1", at=CLOCK.now())),
            rule_channels=None,
            site=site,
            siren_latency_s=None,
            now=CLOCK.now(),
        )
    dispatcher = Dispatcher(
        database,
        {"shower": channel},
        clock=CLOCK,
        timings=DispatchTimings(poll_s=0.05),
        picture_of=picture_of,
    )
    task = asyncio.create_task(dispatcher.run())
    await until(lambda: bool(channel.pictures))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return channel.pictures


async def jpeg_of(violation_id: str) -> bytes | None:
    return violation_id.encode()


async def breaks(violation_id: str) -> bytes | None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("takes", "picture_of", "expected"),
    [(True, jpeg_of, b"v1"), (False, jpeg_of, None), (True, breaks, None)],
)
async def test_a_picture_goes_where_it_is_wanted_and_words_go_in_any_case(
    sqlite_database: Database,
    tmp_path: Path,
    takes: bool,
    picture_of: PictureOf,
    expected: bytes | None,
) -> None:
    channel = Shower(tmp_path, takes_picture=takes)
    assert await sent(sqlite_database, channel, picture_of) == [expected]


@pytest.fixture
def copies(tmp_path: Path) -> Iterator[Copies]:
    make = detector_maker(Settings(data_dir=tmp_path))
    made = Copies(tmp_path, lambda _, aspect: make(640, aspect))
    yield made
    made.close()


async def test_a_shared_picture_is_blurred_and_one_that_is_missing_or_unreadable_is_none(
    sqlite_database: Database, tmp_path: Path, copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "WAIT_S", 30.0)
    noise = np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "v1.jpg"), noise)
    (tmp_path / "v2.jpg").write_bytes(b"no picture")
    with sqlite_database.transaction() as session:
        for name in ("v1", "v2"):
            evidence.ready(
                session,
                violation_id=name,
                kind="picture",
                path=f"{name}.jpg",
                sha256="0",
                size_bytes=1,
                started_at=NOON,
                ended_at=NOON,
                at=NOON,
            )
    shared = SharedPictures(sqlite_database, copies, clock=CLOCK)
    first, again = await asyncio.gather(shared.blurred_picture("v1"), shared.blurred_picture("v1"))
    assert first == again
    assert first is not None
    shown = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    # Nobody was found in it: then all of it is blurred.
    assert cv2.Laplacian(shown, cv2.CV_64F).var() < 100
    assert await shared.blurred_picture("v2") is None
    monkeypatch.setattr(sharing, "WAIT_S", 0.3)
    assert await shared.blurred_picture("v3") is None
    await shared.close()
