"""A factory to look at: a configured site with alerts, evidence, coverage and deliveries."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from sqlmodel import select

from alerts.channels.mqtt import MqttSirenSpec
from alerts.channels.recording import RecordingSpec
from cameras.specs import CameraSpec, SyntheticSpec
from safety.clock import Instant
from safety.site.apply import apply_site
from safety.site.spec import SiteSpec
from safety.store import alerts, coverage, evidence, outbox, violations
from safety.store.database import Database
from safety.store.tables import Evidence
from safety.store.times import utc
from safety.types import CameraState, Phase, Severity, Violation
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec

SIZE = (640, 360)


NAMES = {
    "ko": (
        "한빛정밀 1공장",
        "프레스 통로",
        "로봇 셀",
        "지게차 통로",
        "프레스 2호기",
        "로봇 펜스 안",
    ),
    "en": ("Hanbit Works 1", "Press aisle", "Robot cell", "Forklift aisle", "Press 2", "Robot"),
}
"""Site, three cameras, two zones."""


def factory_spec(directory: Path, *, language: str = "ko") -> SiteSpec:
    """Three cameras, two zones, two rules, two channels."""
    names = NAMES[language]
    return SiteSpec(
        name=names[0],
        language="ko" if language == "ko" else "en",
        cameras=(
            CameraSpec(id="press", name=names[1], source=SyntheticSpec()),
            CameraSpec(id="robot", name=names[2], source=SyntheticSpec()),
            CameraSpec(id="aisle", name=names[3], source=SyntheticSpec()),
        ),
        zones=(
            ZoneSpec(
                id="press-2",
                name=names[4],
                camera_id="press",
                polygon=((0.3, 0.45), (0.72, 0.42), (0.8, 0.85), (0.26, 0.9)),
            ),
            ZoneSpec(
                id="fence",
                name=names[5],
                camera_id="robot",
                polygon=((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)),
            ),
        ),
        rules=(
            IntrusionSpec(id="press-entry", name=f"{names[4]} 01", zone_id="press-2"),
            DwellSpec(
                id="fence-stay",
                name=f"{names[5]} 02",
                zone_id="fence",
                limit_s=30,
                severity=Severity.WARNING,
                channels=("log",),
            ),
        ),
        channels=(
            MqttSirenSpec(id="siren", name="Siren 1", host="127.0.0.1", topic="plant/siren"),
            RecordingSpec(id="log", name="Log", path=directory / "recording.jsonl"),
        ),
    )


class Factory:
    """Puts events into the record as the engine would."""

    def __init__(self, database: Database, evidence_dir: Path, spec: SiteSpec) -> None:
        self._database = database
        self._evidence_dir = evidence_dir
        self._spec = spec
        self._made = 0

    def configure(self, now: datetime) -> None:
        """Apply the site."""
        apply_site(self._database, self._spec, by="test", now=now)

    def intrude(self, at: Instant, *, lasts_s: float | None = None, files: bool = True) -> str:
        """Somebody enters the press zone; returns the alert's id."""
        self._made += 1
        opened = Violation(
            id=f"{self._made:032x}",
            revision=0,
            phase=Phase.OPENED,
            rule_id="press-entry",
            rule_revision=1,
            rule_kind="intrusion",
            camera_id="press",
            zone_id="press-2",
            subject="person-1",
            severity=Severity.DANGER,
            captured_at=at,
            opened_at=at,
        )
        with self._database.transaction() as session:
            violations.save_violation(session, opened, siren_latency_s=0.087)
            alert = alerts.raise_alert(
                session,
                kind="violation",
                dedupe_key=opened.id,
                severity=opened.severity,
                message_key="alert.intrusion",
                params={
                    "camera": self._spec.cameras[0].name,
                    "zone": self._spec.zones[0].name,
                    "rule": self._spec.rules[0].name,
                    "time": utc(at).isoformat(),
                },
                raised_at=utc(at),
                violation_id=opened.id,
                camera_id="press",
            )
            assert alert is not None
            now = utc(at)
            made = outbox.enqueue(
                session, alert, "raised", ["log"], {}, now, now + timedelta(hours=1)
            )
            outbox.delivered(session, made[0].id, at=now + timedelta(seconds=1))
        if lasts_s is not None:
            self.leave(opened, at.shifted(lasts_s))
        if files:
            self.film(opened.id, at)
        return alert.id

    def leave(self, opened: Violation, at: Instant) -> None:
        """The person leaves the zone."""
        values = {name: getattr(opened, name) for name in Violation.__dataclass_fields__}
        values |= {"revision": 1, "phase": Phase.CLOSED, "closed_at": at, "end_reason": "cleared"}
        with self._database.transaction() as session:
            violations.save_violation(session, Violation(**values))
            alerts.clear(session, opened.id, at=utc(at))

    def film(self, violation_id: str, at: Instant) -> None:
        """Picture and clip of a violation, as files and on record."""
        self._keep("picture", violation_id, at, _draw)
        self._keep("clip", violation_id, at, _film)

    def film_elsewhere(self, violation_id: str, camera_id: str, at: Instant) -> None:
        """Another camera's clip of a violation."""
        self._keep("clip", violation_id, at, _film, camera_id)

    def fail_elsewhere(self, violation_id: str, camera_id: str, reason: str) -> None:
        """Another camera was asked for its clip and has none."""
        with self._database.transaction() as session:
            evidence.failed(
                session,
                violation_id=violation_id,
                kind="clip",
                reason=reason,
                other_camera=camera_id,
            )

    def _keep(
        self,
        kind: str,
        violation_id: str,
        at: Instant,
        write: Callable[[Path], None],
        other_camera: str = "",
    ) -> None:
        self._evidence_dir.mkdir(parents=True, exist_ok=True)
        stem = f"{violation_id}-{other_camera}" if other_camera else violation_id
        path = self._evidence_dir / f"{stem}.{'jpg' if kind == 'picture' else 'mp4'}"
        write(path)
        with self._database.transaction() as session:
            evidence.ready(
                session,
                violation_id=violation_id,
                kind=kind,
                path=path.name,
                sha256="ab" * 32,
                size_bytes=path.stat().st_size,
                started_at=utc(at),
                ended_at=utc(at.shifted(2)),
                at=utc(at.shifted(2)),
                other_camera=other_camera,
            )

    def falsify_paths(self, path: str) -> None:
        """Write another path into all evidence, as a thief with the database would."""
        with self._database.transaction() as session:
            for row in session.exec(select(Evidence)):
                row.path = path
                session.add(row)

    def go_blind(self, camera_id: str, at: Instant) -> None:
        """A camera stops seeing, and an alert says so."""
        name = next(each.name for each in self._spec.cameras if each.id == camera_id)
        with self._database.transaction() as session:
            alerts.raise_alert(
                session,
                kind="camera_blind",
                dedupe_key=f"blind:{camera_id}:{at.wall}",
                severity=Severity.WARNING,
                message_key="alert.camera_blind",
                params={"camera": name, "reason": "no_frames", "time": utc(at).isoformat()},
                raised_at=utc(at),
                camera_id=camera_id,
            )

    def watch(
        self, camera_id: str, stretches: list[tuple[CameraState, float]], end: Instant
    ) -> None:
        """Coverage that ends now: states with their lengths in seconds, in order."""
        start = end.shifted(-sum(length for _, length in stretches))
        for state, length in stretches:
            with self._database.transaction() as session:
                coverage.save_interval(
                    session,
                    camera_id=camera_id,
                    state=state,
                    reason="ok",
                    started_at=utc(start),
                    seconds=length,
                    is_open=False,
                )
            start = start.shifted(length)


def _picture(step: int = 0) -> NDArray[np.uint8]:
    width, height = SIZE
    picture = np.full((height, width, 3), (96, 92, 88), np.uint8)
    cv2.rectangle(picture, (0, 230), (width, height), (124, 120, 116), -1)
    cv2.rectangle(picture, (300, 90), (470, 260), (70, 90, 60), -1)
    corners = np.array([(192, 162), (461, 151), (512, 306), (166, 324)], np.int32)
    cv2.polylines(picture, [corners], True, (60, 60, 230), 3)
    x = 240 + step * 2
    cv2.circle(picture, (x, 170), 13, (190, 200, 225), -1)
    cv2.rectangle(picture, (x - 18, 184), (x + 18, 245), (40, 150, 240), -1)
    cv2.rectangle(picture, (x - 14, 245), (x + 14, 300), (90, 60, 40), -1)
    return picture


def _draw(path: Path) -> None:
    cv2.imwrite(str(path), _picture())


def _film(path: Path) -> None:
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=15)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for step in range(30):
            frame = av.VideoFrame.from_ndarray(_picture(step), format="bgr24")
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
