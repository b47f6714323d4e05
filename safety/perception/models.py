"""Which network files there are, and what they say about themselves."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from safety.config import Settings
from safety.errors import ModelError
from safety.types import KEYPOINTS, ObjectClass

_BUNDLED = Path(__file__).parent.parent / "models"

_KINDS = tuple(ObjectClass)


def find_pose_model(settings: Settings, bundled: Path = _BUNDLED) -> Path:
    """The pose network to use: the one in the settings, else the one in the package.

    Raises:
        ModelError: There is none.
    """
    return _find(settings.pose_model, "ANJEON_POSE_MODEL", bundled, "*pose*.onnx", "pose")


def find_ppe_model(settings: Settings, bundled: Path = _BUNDLED) -> Path:
    """The protective-equipment network to use: the one in the settings, else the package's.

    Raises:
        ModelError: There is none.
    """
    return _find(settings.ppe_model, "ANJEON_PPE_MODEL", bundled, "ppe*.onnx", "detection")


def _find(chosen: Path | None, setting: str, bundled: Path, pattern: str, task: str) -> Path:
    if chosen is not None:
        if not chosen.is_file():
            raise ModelError(
                "model.missing",
                "the model file {path} does not exist; check the path in {setting}",
                path=str(chosen),
                setting=setting,
            )
        return chosen
    found = sorted(bundled.glob(pattern))
    if not found:
        raise ModelError(
            "model.none",
            "this installation carries no such network; set {setting} to a YOLO11 {task} network"
            " (.pt or .onnx)",
            setting=setting,
            task=task,
        )
    return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCard:
    """What an ONNX file exported from Ultralytics says about itself.

    Attributes:
        task: ``"pose"``, ``"detect"``, …
        names: Class names by index.
        keypoints: Keypoints per object and numbers per keypoint; None without keypoints.
        end_to_end: Whether the output is already suppressed; such heads are not supported.
        fixed_px: Width and height that the file was exported for; None if any will do.
        output_rows: Numbers per anchor; None if the file does not say.
    """

    task: str
    names: tuple[str, ...]
    keypoints: tuple[int, int] | None
    end_to_end: bool
    fixed_px: tuple[int, int] | None
    output_rows: int | None


def read_card(path: Path) -> NetworkCard:
    """The card of an ONNX file.

    Raises:
        ModelError: The file is missing, damaged, or has no such card.
    """
    model = _load(path)
    properties = {p.key: p.value for p in model.metadata_props}
    try:
        names = ast.literal_eval(properties["names"])
        keypoints = ast.literal_eval(properties.get("kpt_shape", "None"))
        return NetworkCard(
            task=properties["task"],
            names=tuple(str(names[i]) for i in range(len(names))),
            keypoints=None if keypoints is None else (int(keypoints[0]), int(keypoints[1])),
            end_to_end=properties.get("end2end", "False") == "True",
            fixed_px=_fixed_size(model),
            output_rows=_dimension(model.graph.output[0], 1),
        )
    except (KeyError, ValueError, SyntaxError, TypeError, IndexError) as error:
        raise ModelError(
            "model.card",
            "the model file {path} does not say what it finds (no Ultralytics metadata);"
            " export it with 'yolo export format=onnx dynamic=True'",
            path=str(path),
        ) from error


def pose_classes(card: NetworkCard, path: Path, network_px: tuple[int, int]) -> Sequence[int]:
    """Index into ``ObjectClass`` for every class of a pose network.

    Raises:
        ModelError: It is no pose network of ours: task, keypoints, classes or size differ.
    """
    wrong: Mapping[str, bool] = {
        f"its task is '{card.task}', not 'pose'": card.task != "pose",
        f"it has keypoints {card.keypoints}, not the 17 of COCO": card.keypoints != (17, 3),
        f"it finds {', '.join(card.names)}; classes must be among {', '.join(_KINDS)} and"
        " include person": "person" not in card.names or not set(card.names) <= set(_KINDS),
        **_unusable(card, network_px, further=3 * len(KEYPOINTS)),
    }
    reason = next((text for text, holds in wrong.items() if holds), None)
    if reason is not None:
        raise ModelError(
            "model.not_pose",
            "the model file {path} cannot find persons with their pose: {reason}; use a YOLO11"
            " pose network such as yolo11n-pose",
            path=str(path),
            reason=reason,
        )
    return [_KINDS.index(ObjectClass(name)) for name in card.names]


def check_objects(card: NetworkCard, path: Path, network_px: tuple[int, int]) -> None:
    """See that a network finds boxes with classes, at this size.

    Raises:
        ModelError: It does not: its task or its size is another.
    """
    wrong: Mapping[str, bool] = {
        f"its task is '{card.task}', not 'detect'": card.task != "detect",
        **_unusable(card, network_px, further=0),
    }
    reason = next((text for text, holds in wrong.items() if holds), None)
    if reason is not None:
        raise ModelError(
            "model.not_detect",
            "the model file {path} cannot find objects: {reason}; use a YOLO11 detection network",
            path=str(path),
            reason=reason,
        )


def _unusable(
    card: NetworkCard, network_px: tuple[int, int], *, further: int
) -> Mapping[str, bool]:
    """Reasons that hold for networks of every task."""
    rows = 4 + len(card.names) + further
    return {
        "its head suppresses by itself; export it with end2end=False": card.end_to_end,
        f"its output has {card.output_rows} rows, not {rows}": card.output_rows not in (None, rows),
        f"it was exported for {card.fixed_px} pixels only, and {network_px} are needed; export it"
        " with dynamic=True": card.fixed_px not in (None, network_px),
    }


def _load(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load(str(path), load_external_data=False)
    except (OSError, DecodeError) as error:
        raise _unreadable(path, str(error)) from error
    if not model.graph.node or not model.graph.input or not model.graph.output:
        raise _unreadable(path, "it holds no network")
    return model


def _unreadable(path: Path, why: str) -> ModelError:
    return ModelError(
        "model.unreadable",
        "the model file {path} is not a complete ONNX file ({why}); copy it again",
        path=str(path),
        why=why,
    )


def _fixed_size(model: onnx.ModelProto) -> tuple[int, int] | None:
    height, width = (_dimension(model.graph.input[0], axis) for axis in (2, 3))
    return None if height is None or width is None else (width, height)


def _dimension(value: onnx.ValueInfoProto, axis: int) -> int | None:
    dimension = value.type.tensor_type.shape.dim[axis]
    return int(dimension.dim_value) or None
