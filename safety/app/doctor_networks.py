"""What ``anjeon doctor`` says about the networks: where they run and for how many cameras."""

from collections.abc import Callable, Sequence

import numpy as np

from safety.clock import Clock
from safety.config import Settings
from safety.errors import AnjeonError, ModelError
from safety.perception.detector import Found, NetworkDetector
from safety.perception.devices import choose
from safety.perception.load import FellBack, load_pose_detector
from safety.perception.models import find_pose_model, find_ppe_model
from safety.perception.ppe_load import load_ppe_detector
from safety.types import Picture

ASPECT = 16 / 9
WIDTH = 640
RUNS = 24
"""Pictures that are measured, after one that is not."""

USABLE = 0.8
"""Share of the network's speed that is promised: decoding and rules need the rest."""

CAMERA_FPS = 10


def people_network(settings: Settings, clock: Clock) -> str:
    """Run the network for people and say what it does.

    Raises:
        AnjeonError: It cannot run, or not where the settings want it.
    """
    model = find_pose_model(settings)

    def load(fell_back: FellBack) -> str:
        detector = load_pose_detector(
            model,
            width=WIDTH,
            aspect=ASPECT,
            backend=settings.backend,
            device=settings.device,
            cache_dir=settings.models_dir,
            fell_back=fell_back,
        )
        width, height = detector.network_px
        alone_ms, each_ms = _milliseconds(detector, (round(width / ASPECT), width), clock)
        cameras = int(1000 / each_ms * USABLE / CAMERA_FPS)
        return (
            f"{model.name} at {width}x{height} on {detector.backend}: {alone_ms:.1f} ms for one"
            f" picture, {each_ms:.1f} ms each for many; cameras at {CAMERA_FPS} fps: about"
            f" {cameras}"
        )

    return _somewhere(load, settings, model.suffix)


def ppe_network(settings: Settings, clock: Clock) -> str:
    """Run the network for protective equipment and say what it does.

    Raises:
        AnjeonError: As for ``people_network``.
    """
    model = find_ppe_model(settings)

    def load(fell_back: FellBack) -> str:
        detector = load_ppe_detector(settings, fell_back=fell_back)
        width, height = detector.network_px
        alone_ms, each_ms = _milliseconds(detector, (height, width), clock)
        return (
            f"{model.name} at {width}x{height} on {detector.backend}: {alone_ms:.1f} ms for one"
            f" crop, {each_ms:.1f} ms each for many"
        )

    return _somewhere(load, settings, model.suffix)


def _somewhere(load: Callable[[FellBack], str], settings: Settings, suffix: str) -> str:
    """What was measured; an error where that is not the device that was asked for."""
    troubles: list[ModelError] = []
    measured = load(troubles.append)
    if troubles:
        raise AnjeonError(
            "doctor.device",
            "{trouble}. Until then the processor does it: {measured}",
            trouble=str(troubles[0]),
            measured=measured,
        )
    return f"{measured} ({choose(settings.backend, settings.device, suffix).device})"


def _milliseconds(
    detector: NetworkDetector[Found], size: Sequence[int], clock: Clock
) -> tuple[float, float]:
    """Per picture: when each comes alone, and when there is always a next one."""
    picture: Picture = np.full((*size, 3), 114, np.uint8)
    detector.detect([picture])
    begun = clock.now().monotonic
    for _ in range(RUNS):
        detector.detect([picture])
    between = clock.now().monotonic
    left = iter([picture] * RUNS)
    for _ in detector.stream(lambda: next(left, None)):
        pass
    ended = clock.now().monotonic
    detector.close()
    return (between - begun) / RUNS * 1000, (ended - between) / RUNS * 1000
