"""Trying a camera: what it sends, in words, with one picture that proves it."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import structlog

from cameras.overlay import jpeg
from cameras.probe import ProbeResult, probe
from cameras.specs import RtspSpec, SourceSpec
from dashboard.visit import Visit
from safety.errors import AnjeonError
from safety.i18n import explain
from safety.secret_files import forget_secret, keep_secret, secret_reference

_LOG = structlog.get_logger(__name__)

TIMEOUT_S: Final = 12.0
CLOCK_OFF_S: Final = 2.0
"""A camera's clock that is off by more is worth a remark: its own recordings are hard to match."""

_KEPT: Final = 8
"""Pictures of trials that can still be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraTrial:
    """What came of it.

    Attributes:
        sentence: What it sends, or why it sends nothing.
        warnings: What should be changed in the camera.
        picture: Name of the picture, to be fetched for a while.
    """

    well: bool
    sentence: str
    warnings: Sequence[str] = ()
    picture: str = ""


class TrialPictures:
    """The newest pictures of trials; nothing is written to disk."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def keep(self, picture: bytes) -> str:
        """Keep a picture; gives its name."""
        name = uuid4().hex
        self._kept[name] = picture
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return name

    def find(self, name: str) -> bytes | None:
        """A picture that was kept."""
        return self._kept.get(name)


PICTURES = TrialPictures()


def tried(visit: Visit, source: SourceSpec, *, password: str = "") -> CameraTrial:
    """Connect a camera once, beside whatever reads it already; blocks for seconds.

    Args:
        password: What somebody typed and has not saved yet; used for this try alone.
    """
    data_dir, name = visit.services.settings.data_dir, f"trial-{uuid4().hex[:12]}"
    try:
        if password and isinstance(source, RtspSpec):
            reference = secret_reference(data_dir, name)
            keep_secret(data_dir, name, password)
            source = source.model_copy(update={"password": reference})
        seen = probe(source, timeout_s=TIMEOUT_S, clock=visit.services.clock, thorough=True)
    except AnjeonError as error:
        _LOG.info("camera_trial_failed", why=str(error))
        return CameraTrial(well=False, sentence=explain(error, visit.language))
    finally:
        if password:
            forget_secret(data_dir, name)
    return CameraTrial(
        well=True,
        sentence=_sentence(visit, seen),
        warnings=_warnings(visit, seen),
        picture=PICTURES.keep(jpeg(seen.picture)),
    )


def _sentence(visit: Visit, seen: ProbeResult) -> str:
    return visit.translate(
        "cameras.try.seen",
        codec=seen.codec.upper(),
        width=seen.width_px,
        height=seen.height_px,
        fps="?" if seen.fps is None else f"{seen.fps:.0f}",
    )


def _warnings(visit: Visit, seen: ProbeResult) -> list[str]:
    found = []
    if seen.reordered:
        found.append(visit.translate("cameras.try.b_frames"))
    if seen.codec == "h265":
        found.append(visit.translate("cameras.try.h265"))
    if seen.fps is not None and seen.fps < 5:
        found.append(visit.translate("cameras.try.slow", fps=f"{seen.fps:.1f}"))
    if seen.width_px < 640:
        found.append(visit.translate("cameras.try.small", width=seen.width_px))
    ahead = seen.clock_ahead_s
    if ahead is not None and abs(ahead) > CLOCK_OFF_S:
        found.append(visit.translate("cameras.try.clock", seconds=f"{ahead:+.0f}"))
    return found
