"""Reads a PyTorch checkpoint of an Ultralytics network without PyTorch.

Such a file is a zip archive (uncompressed) with a pickle of the module tree and one
file per tensor storage. A pickle can run any code, so the unpickler here knows only a
closed list of names, and everything on it is inert: records, tuples and arrays.
"""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safety.errors import ModelError
from safety.perception.modules import Module, module_class

Array = NDArray[Any]

_STORAGES: dict[str, np.dtype[Any]] = {
    "HalfStorage": np.dtype("<f2"),
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "BoolStorage": np.dtype("?"),
}

_MODULES = {
    "ultralytics.utils": ("IterableSimpleNamespace",),  # settings of an unfinished training
    "ultralytics.nn.tasks": ("PoseModel", "DetectionModel"),
    "ultralytics.nn.modules.conv": ("Conv", "DWConv", "Concat"),
    "ultralytics.nn.modules.block": (
        "C3k2", "C3k", "Bottleneck", "SPPF", "C2PSA", "PSABlock", "Attention", "DFL",
    ),
    "ultralytics.nn.modules.head": ("Pose", "Detect"),
    "torch.nn.modules.container": ("Sequential", "ModuleList"),
    "torch.nn.modules.conv": ("Conv2d",),
    "torch.nn.modules.batchnorm": ("BatchNorm2d",),
    "torch.nn.modules.activation": ("SiLU",),
    "torch.nn.modules.linear": ("Identity",),
    "torch.nn.modules.pooling": ("MaxPool2d",),
    "torch.nn.modules.upsampling": ("Upsample",),
}  # fmt: skip


def read_checkpoint(path: Path) -> Mapping[str, object]:
    """The dictionary that Ultralytics saved in a ``.pt`` file.

    Tensors come as numpy arrays, modules as ``Module``.

    Raises:
        ModelError: The file is missing, damaged, or holds anything but a YOLO11 network.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            pickled = next((n for n in archive.namelist() if n.endswith("/data.pkl")), None)
            if pickled is None:
                raise _unreadable(path, "it holds no data.pkl")
            with archive.open(pickled) as stream:
                content = _Unpickler(stream, archive, pickled.removesuffix("data.pkl")).load()
    except FileNotFoundError:
        raise ModelError(
            "model.missing",
            "the model file {path} does not exist; check the path in ANJEON_POSE_MODEL",
            path=str(path),
        ) from None
    except _Refused as refused:
        raise ModelError(
            "model.unsupported",
            "the model file {path} contains {name}, which is not part of a YOLO11 network that"
            " Anjeon converts; export it with 'yolo export format=onnx dynamic=True' and use the"
            " .onnx file",
            path=str(path),
            name=str(refused),
        ) from None
    except _DAMAGE as damage:
        raise _unreadable(path, f"{type(damage).__name__}: {damage}") from damage
    if not isinstance(content, dict):
        raise _unreadable(path, "it does not hold a checkpoint")
    return content


_DAMAGE = (
    OSError,
    zipfile.BadZipFile,
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    MemoryError,
)
"""What zipfile and pickle raise for bytes that are not what they should be."""


def _unreadable(path: Path, why: str) -> ModelError:
    return ModelError(
        "model.unreadable",
        "the model file {path} is not a complete Ultralytics .pt file ({why}); copy it again",
        path=str(path),
        why=why,
    )


class _Refused(Exception):
    """The pickle names something that is not on the list."""


@dataclass(frozen=True)
class _Storage:
    """Stands for ``torch.HalfStorage`` and its kin: nothing but a number format."""

    dtype: np.dtype[Any]


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: Any, archive: zipfile.ZipFile, prefix: str) -> None:
        super().__init__(stream)
        self._archive = archive
        self._prefix = prefix

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise _Refused(f"{module}.{name}") from None

    def persistent_load(self, pid: Any) -> Array:
        kind, storage, key, _device, count = pid
        if kind != "storage" or not isinstance(storage, _Storage):
            raise _Refused(f"persistent id {kind!r}")
        entry = self._archive.getinfo(f"{self._prefix}data/{key}")
        wanted = int(count) * storage.dtype.itemsize
        # Stored, not deflated: a small file cannot unfold into a large one.
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size < wanted:
            raise ValueError(f"tensor storage {key} is incomplete")
        return np.frombuffer(self._archive.read(entry), storage.dtype, int(count))


def _tensor(
    storage: Array, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Array:
    """A strided view into a storage, checked against its bounds, as a copy of its own."""
    if min((offset, *size, *stride)) < 0 or len(size) != len(stride):
        raise ValueError("tensor with a negative extent")
    reach = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if 0 not in size and reach >= len(storage):
        raise ValueError("tensor reaches beyond its storage")
    steps = [step * storage.itemsize for step in stride]
    if 0 in size:
        return np.zeros(size, storage.dtype)
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps).copy()


def _parameter(data: Array, *_: object) -> Array:
    return data


def _size(values: tuple[int, ...] = ()) -> tuple[int, ...]:
    return tuple(values)


_NAMES: dict[tuple[str, str], Callable[..., Any] | type[Module] | _Storage] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("__builtin__", "set"): set,
    ("builtins", "set"): set,
    ("torch", "Size"): _size,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    **{("torch", name): _Storage(dtype) for name, dtype in _STORAGES.items()},
    **{
        (package, name): module_class(name) for package, names in _MODULES.items() for name in names
    },
}
