"""Which network files there are, and what they say about themselves."""

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import onnx
from google.protobuf.message import DecodeError

from safety.config import Settings
from safety.errors import ModelError
from safety.perception.bundle import IN_8_BITS
from safety.types import KEYPOINTS, ObjectClass

_BUNDLED = Path(__file__).parent.parent / "models"

_LONGEST_HEADER = 1_000_000
"""Bytes in front of a TensorRT engine at the most."""

_KINDS = tuple(ObjectClass)


def find_pose_model(settings: Settings, bundled: Path = _BUNDLED) -> Path:
    """The pose network to use: the one in the settings, else the one in the package.

    Raises:
        ModelError: There is none.
    """
    return _find(settings, "pose_model", bundled, "*pose*.onnx", "pose")


def find_ppe_model(settings: Settings, bundled: Path = _BUNDLED) -> Path:
    """The protective-equipment network to use: the one in the settings, else the package's.

    Raises:
        ModelError: There is none.
    """
    return _find(settings, "ppe_model", bundled, "ppe*.onnx", "detection")


def _find(
    settings: Settings, field: Literal["pose_model", "ppe_model"], bundled: Path, *kind: str
) -> Path:
    """The network that a setting chooses: a file, or the name of one that was added."""
    chosen: Path | None = getattr(settings, field)
    setting, (pattern, task) = f"ANJEON_{field.upper()}", kind
    if chosen is not None:
        named = [settings.models_dir / f"{chosen}{suffix}" for suffix in (".onnx", ".engine")]
        for path in (chosen, *named):
            if path.is_file():
                return path
        raise ModelError(
            "model.missing",
            "the model file {path} does not exist; check the path in {setting}",
            path=str(chosen),
            setting=setting,
        )
    # Twins in 8 bits are chosen where the network is loaded: the device decides.
    found = sorted(path for path in bundled.glob(pattern) if not path.stem.endswith(IN_8_BITS))
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
    """The card of an ONNX or a TensorRT engine file.

    Raises:
        ModelError: The file is missing, damaged, or has no such card.
    """
    if path.suffix == ".engine":
        return _card(path, _engine_properties(path), fixed_px=None, output_rows=None)
    model = _load(path)
    properties = {p.key: p.value for p in model.metadata_props}
    fixed_px, output_rows = _fixed_size(model), _dimension(model.graph.output[0], 1)
    return _card(path, properties, fixed_px=fixed_px, output_rows=output_rows)


def _card(
    path: Path,
    properties: Mapping[str, str],
    *,
    fixed_px: tuple[int, int] | None,
    output_rows: int | None,
) -> NetworkCard:
    try:
        names = ast.literal_eval(properties["names"])
        keypoints = ast.literal_eval(properties.get("kpt_shape", "None"))
        return NetworkCard(
            task=properties["task"],
            names=tuple(str(names[i]) for i in range(len(names))),
            keypoints=None if keypoints is None else (int(keypoints[0]), int(keypoints[1])),
            end_to_end=properties.get("end2end", "False") == "True",
            fixed_px=fixed_px,
            output_rows=output_rows,
        )
    except (KeyError, ValueError, SyntaxError, TypeError, IndexError) as error:
        raise ModelError(
            "model.card",
            "the model file {path} does not say what it finds (no Ultralytics metadata);"
            " export it with 'yolo export format=onnx dynamic=True'",
            path=str(path),
        ) from error


def pose_classes(
    card: NetworkCard, path: Path, network_px: tuple[int, int], means: Sequence[str | None]
) -> Sequence[int]:
    """Index into ``ObjectClass`` for every class of a pose network; -1: of no interest.

    Args:
        means: What each class is here.

    Raises:
        ModelError: It is no pose network of ours: task, keypoints, classes or size differ.
    """
    wrong: Mapping[str, bool] = {
        f"its task is '{card.task}', not 'pose'": card.task != "pose",
        f"it has keypoints {card.keypoints}, not the 17 of COCO": card.keypoints != (17, 3),
        f"it finds {', '.join(card.names)}; classes must be among {', '.join(_KINDS)} and"
        " include person": "person" not in means or not set(means) <= {*_KINDS, None},
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
    return [-1 if name is None else _KINDS.index(ObjectClass(name)) for name in means]


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


def _engine_properties(path: Path) -> dict[str, str]:
    """What Ultralytics writes in front of a TensorRT engine: a length, and that much JSON."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(4), "little", signed=True)
            if not 0 < length < _LONGEST_HEADER:
                raise ValueError("it was not written by Ultralytics")
            header = json.loads(file.read(length))
        items = {"names": {int(k): v for k, v in dict(header["names"]).items()}}
        return {str(key): str(value) for key, value in {**header, **items}.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            "model.engine_unreadable",
            "the model file {path} is not a TensorRT engine with Ultralytics' header ({why});"
            " make it with 'anjeon model export --format engine' on the machine that will run it",
            path=str(path),
            why=str(error),
        ) from error


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
