"""Loads the network for protective equipment as the settings say."""

from safety.config import Settings
from safety.errors import ModelError
from safety.perception.detector import ObjectDetector
from safety.perception.load import FellBack, load_object_detector
from safety.perception.models import find_ppe_model
from safety.perception.ppe import CROP_PX, LEAST_CONFIDENCE, meanings

WHOLE_PX = (640, 384)
"""Width and height of the network's input for whole pictures; others are fitted into it."""


def load_ppe_detector(settings: Settings, *, fell_back: FellBack | None = None) -> ObjectDetector:
    """The network that the settings name, at the size that their mode needs.

    Args:
        settings: Which file, engine and device, and whether it sees crops or whole pictures.
        fell_back: As for ``load_object_detector``.

    Raises:
        ModelError: There is none, it cannot be loaded, or knows no protective equipment.
    """
    model = find_ppe_model(settings)
    size = (CROP_PX, CROP_PX) if settings.ppe_mode == "crops" else WHOLE_PX
    detector = load_object_detector(
        model,
        width=size[0],
        height=size[1],
        backend=settings.backend,
        device=settings.device,
        cache_dir=settings.data_dir / "models",
        confidence=LEAST_CONFIDENCE,
        fell_back=fell_back,
    )
    if not any(meanings(detector.names)):
        detector.close()
        raise ModelError(
            "model.not_ppe",
            "the model file {path} finds {names}; none of these is protective equipment: name the"
            " classes hardhat, no-hardhat, vest, no-vest",
            path=str(model),
            names=", ".join(detector.names),
        )
    return detector
