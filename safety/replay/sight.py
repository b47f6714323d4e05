"""How a film is looked at: as the camera that it stands for would be, with these rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from cameras import failures
from cameras.budget import NetworkCosts
from cameras.containers import video_of
from cameras.fleet import part_of
from cameras.messages import Configure
from cameras.region_notes import CameraNote, PlanNote, plans_as_noted
from cameras.region_plan import CameraPlan
from safety.clock import SystemClock
from safety.config import Settings
from safety.perception.detector import Detector
from safety.perception.letterbox import network_size
from safety.perception.load import load_pose_detector
from safety.perception.models import find_pose_model
from safety.perception.tracking import LEAST_SCORE
from safety.site.spec import SiteSpec
from zones.specs import RuleSpec


class Networks:
    """The networks for persons, each loaded when it is first asked for, as a shard has them."""

    def __init__(self, settings: Settings) -> None:
        """Start without any."""
        self._settings = settings
        self._loaded: dict[tuple[int, int], Detector] = {}

    def get(self, width: int, aspect: float) -> Detector:
        """The network of this width for pictures of this aspect.

        Raises:
            ModelError: It cannot be loaded.
        """
        size = network_size(width, aspect)
        if size not in self._loaded:
            settings = self._settings
            self._loaded[size] = load_pose_detector(
                find_pose_model(settings),
                width=width,
                aspect=aspect,
                backend=settings.backend,
                device=settings.device,
                cache_dir=settings.models_dir,
                confidence=LEAST_SCORE,
            )
        return self._loaded[size]

    def costs(self, width: int, aspect: float) -> tuple[tuple[int, int, float], ...]:
        """Milliseconds per picture of one network on this machine, measured now."""
        measured = NetworkCosts()
        measured.measure(self.get(width, aspect), SystemClock())
        return tuple((*size, ms) for size, ms in measured.known().items())

    def close(self) -> None:
        """Free them."""
        for detector in self._loaded.values():
            detector.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A film that stands for a camera; its picture in pixels."""

    path: Path
    camera_id: str
    width_px: int
    height_px: int

    @property
    def aspect(self) -> float:
        """Width / height of the picture."""
        return self.width_px / self.height_px


def film_of(path: Path, camera_id: str) -> Film:
    """Look at the beginning of a film.

    Raises:
        CameraError: It is missing, or no video.
    """
    try:
        container = av.open(path)
    except av.error.FFmpegError as error:
        raise failures.from_ffmpeg(error, str(path)) from None
    with container:
        context = video_of(container, str(path))[0].codec_context
        if not context.width or not context.height:
            raise failures.not_video(str(path), "no picture in it")
        return Film(
            path=path, camera_id=camera_id, width_px=context.width, height_px=context.height
        )


def assumed(site: SiteSpec, film: Film, networks: Networks) -> PlanNote:
    """What to plan with where no shard has run: all cameras are like this film."""
    like_it = CameraNote(width_px=film.width_px, height_px=film.height_px)
    width = next(each.network_width for each in site.cameras if each.id == film.camera_id)
    return PlanNote(
        costs=networks.costs(width, film.aspect),
        cameras={camera.id: like_it for camera in site.cameras if camera.enabled},
    )


def plan_of(site: SiteSpec, rules: Sequence[RuleSpec], film: Film, note: PlanNote) -> CameraPlan:
    """How a shard would look at this camera's pictures if these were the site's rules.

    Args:
        note: What the shard plans with. The film's size counts in place of the camera's.
    """
    former = note.cameras.get(film.camera_id)
    learned = {} if former is None else {"horizon": former.horizon, "growth": former.growth}
    here = CameraNote(width_px=film.width_px, height_px=film.height_px, **learned)
    note = note.model_copy(update={"cameras": {**note.cameras, film.camera_id: here}})
    cameras = tuple(camera for camera in site.cameras if camera.id in note.cameras)
    message = Configure(
        revision=0,
        rule_revisions={},
        cameras=cameras,
        zones=site.zones,
        rules=tuple(rules),
        cameras_in_all=len(cameras),
    )
    parts = [part_of(message, camera) for camera in cameras]
    return plans_as_noted(parts, note)[film.camera_id]
