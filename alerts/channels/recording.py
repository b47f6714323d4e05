"""Channel ``recording``: the twin of every channel. It shows nothing and keeps everything.

Siren and messenger in one; for the demo, for drills and for tests. Not for daily work.
"""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from alerts.channels.base import Notice, Receipt, SirenLevel
from alerts.channels.siren_spec import SirenSpec, Weekday
from safety.clock import Clock, Instant
from safety.errors import ChannelError


class RecordingSpec(SirenSpec):
    """Writes down what a siren and a messenger would have been told."""

    kind: Literal["recording"] = "recording"
    self_test_day: Weekday = "never"
    """Day of the weekly self-test; there is nothing to hear."""
    path: Path | None = Field(default=None)
    """File of JSON lines; empty means recording-<id>.jsonl in the data directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One command that the siren got."""

    at: Instant
    level: SirenLevel
    ttl_s: float
    reason: str


class RecordingChannel:
    """Keeps the newest commands and notices in memory, and all of them in a file.

    Attributes:
        path: The file; at 16 MiB it is renamed to ``*.1`` and begun again.
        assertions: Siren commands, oldest first, 10,000 at most.
        notices: Notices by their id, so that a repeated one is there once.
    """

    MAX_BYTES = 16 * 1024 * 1024
    KEEP = 10_000
    quiet_by_itself = True
    keeps_time = True

    def __init__(self, spec: RecordingSpec, *, clock: Clock, data_dir: Path) -> None:
        self.channel_id = spec.id
        self.quiet_when = spec.quiet_when
        self.path = spec.path or data_dir / f"recording-{spec.id}.jsonl"
        self.assertions: deque[Assertion] = deque(maxlen=self.KEEP)
        self.notices: dict[str, Notice] = {}
        self._clock = clock

    async def set(self, level: SirenLevel, *, ttl_s: float, reason: str) -> Receipt:
        """Note the command."""
        at = self._clock.now()
        self.assertions.append(Assertion(at=at, level=level, ttl_s=ttl_s, reason=reason))
        self._write({"what": "siren", "level": level, "ttl_s": ttl_s, "reason": reason}, at)
        return Receipt(at=at, latency_s=0.0)

    async def check(self) -> Receipt:
        """Always within reach."""
        return Receipt(at=self._clock.now(), latency_s=0.0)

    async def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Note the notice, once however often it comes."""
        at = self._clock.now()
        if notice.id not in self.notices:
            self._write({"what": "notice", **asdict(notice)}, at)
            self.notices[notice.id] = notice
            if len(self.notices) > self.KEEP:
                del self.notices[next(iter(self.notices))]
        return Receipt(at=at, latency_s=0.0)

    async def close(self) -> None:
        """Nothing is held open."""

    @property
    def level(self) -> SirenLevel:
        """What the siren shows now."""
        return self.level_at(self._clock.now())

    def level_at(self, at: Instant) -> SirenLevel:
        """What the siren showed then: the last command, until its time-to-live was over."""
        for assertion in reversed(self.assertions):
            age_s = at.monotonic - assertion.at.monotonic
            if age_s >= 0:
                return assertion.level if age_s < assertion.ttl_s else SirenLevel.OFF
        return SirenLevel.OFF

    def _write(self, entry: Mapping[str, object], at: Instant) -> None:
        line = json.dumps({"wall": at.wall, "monotonic": at.monotonic, **entry}, ensure_ascii=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size > self.MAX_BYTES:
                self.path.replace(self.path.with_name(self.path.name + ".1"))
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise ChannelError(
                "channel.recording_unwritable",
                "the recording {path} cannot be written ({problem}); free or mend the disk",
                path=str(self.path),
                problem=error.strerror or type(error).__name__,
            ) from None


def read_recording(path: Path) -> list[dict[str, Any]]:
    """The entries of a recording, oldest first; none if the file is not there yet.

    Each has ``wall`` and ``monotonic`` seconds and ``what``: ``siren`` (``level``, ``ttl_s``,
    ``reason``) or ``notice`` (the fields of ``Notice``).
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    # The last line may be half written.
    return [json.loads(line) for line in lines[:-1] if line]
