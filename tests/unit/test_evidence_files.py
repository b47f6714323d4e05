"""Files of evidence and the audit trail: tampering is found, crashes leave no halves."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlmodel import select

from cameras.clip import Clip, write_clip
from safety.evidence.files import check_files, count_files
from safety.evidence.orphans import tidy
from safety.evidence.retention import Limits, sweep
from safety.incidents.incident_entry import IncidentEntry
from safety.incidents.types import Kind
from safety.store import alerts, audit, evidence, holds, incident_alerts, incidents, violations
from safety.store.database import Database
from safety.store.tables import Evidence
from safety.types import Severity
from tests.support.database import NOON, after
from tests.support.packets import instant, read_packets
from tests.support.videos import moving_square, write_film
from tests.support.violations import cleared, opened

KEY = f"{7:032x}"
FOLDER = "2026/01/05"
MONTH_S = 31 * 86_400.0
LIMITS = Limits(
    keep=timedelta(days=30), audit=timedelta(days=2000), most_bytes=10**12, reserve_bytes=0
)


@dataclass(frozen=True)
class Kept:
    """A clip of a violation that is over, its sidecar, and another camera's clip."""

    database: Database
    directory: Path

    @property
    def clip(self) -> Path:
        return self.directory / FOLDER / f"{KEY}.mp4"

    @property
    def other(self) -> Path:
        return self.directory / FOLDER / f"{KEY}-south.mp4"

    def states(self) -> dict[str, str]:
        """What has become of the two clips."""
        seen = list(check_files(self.database, self.directory))
        assert len(seen) == count_files(self.database) == 2
        return {"other" if "-" in each.path else "own": each.state for each in seen}

    def rewrite(self, **values: object) -> None:
        """Change the clip's row, as somebody who can write to the database would."""
        with self.database.transaction() as session:
            row = session.exec(select(Evidence).where(Evidence.other_camera == "")).one()
            for name, value in values.items():
                setattr(row, name, value)

    def sweep(self, at_s: float) -> None:
        sweep(self.database, self.directory, LIMITS, now=after(at_s))


@pytest.fixture
def kept(sqlite_database: Database, tmp_path: Path) -> Kept:
    made = Kept(sqlite_database, tmp_path / "evidence")
    made.clip.parent.mkdir(parents=True)
    seen = opened(KEY)
    with sqlite_database.transaction() as session:
        violations.save_violation(session, seen)
        violations.save_violation(session, cleared(seen))
        violations.get(session, KEY).closed_at = NOON
        for path, camera in ((made.clip, ""), (made.other, "south")):
            path.write_bytes(path.name.encode())
            path.with_suffix(".json").write_bytes(b"{}")
            evidence.ready(
                session,
                violation_id=KEY,
                kind="clip",
                path=f"{FOLDER}/{path.name}",
                sha256=sha256(path.read_bytes()).hexdigest(),
                size_bytes=path.stat().st_size,
                started_at=NOON,
                ended_at=NOON,
                sidecar_sha256=sha256(b"{}").hexdigest(),
                at=NOON,
                other_camera=camera,
            )
    return made


def forge(kept: Kept) -> None:
    """Another clip, and its hash in the row: the row alone would not give it away."""
    kept.clip.write_bytes(b"forged")
    kept.rewrite(sha256=sha256(b"forged").hexdigest())


def hide(kept: Kept) -> None:
    """Delete the clip, and say in its row that its time had come."""
    kept.clip.unlink()
    kept.rewrite(state="deleted", reason="age")


DEEDS: tuple[tuple[Callable[[Kept], object], str], ...] = (
    (lambda kept: None, "sound"),
    (lambda kept: kept.clip.write_bytes(b"other"), "changed"),
    (forge, "changed"),
    (lambda kept: kept.rewrite(sha256="0" * 64), "changed"),
    (lambda kept: kept.clip.with_suffix(".json").write_bytes(b"[]"), "changed"),
    (lambda kept: kept.clip.with_suffix(".json").unlink(), "missing"),
    (lambda kept: kept.clip.unlink(), "missing"),
    (hide, "missing"),
)


@pytest.mark.parametrize(("deed", "state"), DEEDS)
def test_whatever_is_done_to_file_or_row_is_found(
    kept: Kept, deed: Callable[[Kept], object], state: str
) -> None:
    deed(kept)
    assert kept.states() == {"own": state, "other": "sound"}


def test_what_was_deleted_when_its_time_had_come_is_told_from_what_is_missing(kept: Kept) -> None:
    kept.sweep(MONTH_S)
    assert not kept.clip.exists()
    assert not kept.other.with_suffix(".json").exists()
    assert kept.states() == {"own": "deleted", "other": "deleted"}


def test_evidence_from_before_hashes_were_in_the_trail_is_compared_with_its_row(kept: Kept) -> None:
    with kept.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit SET action = 'old' WHERE seq = 1")
    assert kept.states() == {"own": "sound", "other": "sound"}
    kept.clip.write_bytes(b"other")
    assert kept.states() == {"own": "changed", "other": "sound"}


@pytest.mark.parametrize("needed_by", ["incident", "hold"])
def test_all_cameras_clips_stay_as_long_as_an_incident_or_a_hold_needs_them(
    kept: Kept, needed_by: str
) -> None:
    with kept.database.transaction() as session:
        alert = alerts.raise_alert(
            session,
            kind="violation",
            dedupe_key=KEY,
            severity=Severity.DANGER,
            message_key="alert.intrusion",
            params={},
            raised_at=NOON,
            violation_id=KEY,
        )
        assert alert is not None
        entry = IncidentEntry(kind=Kind.NEAR_MISS, title="near", occurred_at=NOON)
        made = incident_alerts.open_incident(session, [alert.id], entry, by="k", at=NOON)
        incident_id, version = made.id, made.version
    kept.sweep(MONTH_S)
    assert kept.states() == {"own": "sound", "other": "sound"}
    with kept.database.transaction() as session:
        row = incidents.locked(session, incident_id, version)
        row.state, row.closed_at = "closed", after(MONTH_S)
        if needed_by == "hold":
            placed = holds.place(
                session, "incident", incident_id, reason="police", by="k", at=after(MONTH_S)
            )
            hold_id = placed.id
    kept.sweep(3 * MONTH_S)
    if needed_by == "hold":
        assert kept.states() == {"own": "sound", "other": "sound"}
        with kept.database.transaction() as session:
            holds.release(session, hold_id, reason="over", by="k", at=after(3 * MONTH_S))
        kept.sweep(3 * MONTH_S)
    assert kept.states() == {"own": "deleted", "other": "deleted"}


def test_after_a_crash_halves_go_and_what_is_whole_is_put_on_record(
    sqlite_database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    film = write_film(tmp_path / "film.mp4", moving_square(2))
    whole = folder / f"{1:032x}-south.mp4"
    write_clip(read_packets(film), whole, moment=instant(1), describe=described)
    (folder / f"{2:032x}.jpg").write_bytes(b"picture")
    halves = (f"{3:032x}.mp4.part", f"{4:032x}.json", f"{5:032x}.faces.mp4")
    for name in (*halves, "notes.txt"):
        (folder / name).write_bytes(b"x")
    forged = folder / f"{6:032x}.mp4"
    forged.write_bytes(b"not what its sidecar says")
    forged.with_suffix(".json").write_bytes(whole.with_suffix(".json").read_bytes())
    for path in folder.iterdir():
        os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    young = folder / f"{8:032x}.mp4.part"
    young.write_bytes(b"x")
    os.utime(young, (after(3600).timestamp(), after(3600).timestamp()))

    done = tidy(sqlite_database, tmp_path, now=after(3700))
    assert {Path(each).name for each in done.deleted} == set(halves)
    assert {Path(each).name for each in done.found} == {whole.name, f"{2:032x}.jpg"}
    with sqlite_database.reading() as session:
        (row,) = evidence.of_violation(session, f"{1:032x}")
        assert audit.list_entries(session, limit=1)[0].action == "evidence.tidy"
    assert (row.kind, row.other_camera, row.state) == ("clip", "south", "ready")
    assert row.sha256 == sha256(whole.read_bytes()).hexdigest()
    assert all(each.well for each in check_files(sqlite_database, tmp_path))
    again = tidy(sqlite_database, tmp_path, now=after(3700))
    assert (again.deleted, again.found) == ((), ())
    assert young.exists()


def described(clip: Clip) -> bytes:
    # A clip does not appear before its description.
    assert not clip.path.exists()
    said = f'{{"sha256": "{clip.sha256}", "started_at": "{NOON}", "ended_at": "{NOON}"}}'
    return f'{{"clip": {said}}}'.encode()


def test_a_clip_whose_description_fails_leaves_nothing(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", moving_square(2))

    def fail(clip: Clip) -> bytes:
        raise ValueError(clip.sha256)

    folder = tmp_path / "evidence"
    folder.mkdir()
    with pytest.raises(ValueError, match=r"[0-9a-f]{64}"):
        write_clip(read_packets(film), folder / "v.mp4", moment=instant(1), describe=fail)
    assert list(folder.iterdir()) == []
