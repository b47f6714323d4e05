"""Which engine runs a network on which device of this machine."""

import ctypes
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from safety.errors import ModelError

Engine = Literal["openvino", "onnxruntime", "ultralytics"]
Backend = Literal["auto", "openvino", "onnxruntime", "ultralytics"]
Hardware = Literal["cpu", "gpu", "npu", "cuda", "tensorrt"]
Device = Literal["auto", "cpu", "gpu", "npu", "cuda", "tensorrt"]

_DEVICES: dict[Engine, tuple[Hardware, ...]] = {
    "openvino": ("cpu", "gpu", "npu"),
    "onnxruntime": ("cpu", "cuda", "tensorrt"),
    "ultralytics": ("cpu", "cuda"),
}
"""What each engine can run on; ``gpu``, ``npu``: Intel's; ``cuda``, ``tensorrt``: NVIDIA's."""

_PROVIDERS = {"cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An engine and what it runs on."""

    engine: Engine
    device: Hardware

    def __str__(self) -> str:
        return f"{self.engine} on {self.device}"


def choose(backend: Backend, device: Device, suffix: str = ".onnx") -> Choice:
    """The engine and device for what was asked for.

    Where nothing is asked for: an NVIDIA GPU if ONNX Runtime can use it, else OpenVINO on the
    processor, else ONNX Runtime on the processor.

    Args:
        backend, device: What the settings say.
        suffix: Of the model file; ``.engine`` files are for Ultralytics and CUDA alone.

    Raises:
        ModelError: What was asked for is not installed, not there, or does not go together.
    """
    if suffix == ".engine":
        if backend not in ("auto", "ultralytics") or device not in ("auto", "cuda", "tensorrt"):
            raise _mismatch("a .engine file", f"{backend} on {device}", "auto")
        backend, device = "ultralytics", "cuda"
    engine = _engine(backend, device)
    hardware = _hardware(engine, device)
    if hardware not in _DEVICES[engine]:
        raise _mismatch(engine, hardware, ", ".join(_DEVICES[engine]))
    _check_present(engine, hardware)
    return Choice(engine=engine, device=hardware)


def nvidia_gpus() -> int:
    """How many NVIDIA GPUs answer; 0 without a driver."""
    count = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL("libcuda.so.1")
        answers = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    except (OSError, AttributeError):
        return 0
    return count.value if answers else 0


def _engine(backend: Backend, device: Device) -> Engine:
    """The engine asked for, or the first one installed that can run on the device."""
    if backend != "auto":
        wanted: tuple[Engine, ...] = (backend,)
    elif device == "auto" and _offered("cuda") and nvidia_gpus():
        wanted = ("onnxruntime",)
    else:
        engines: tuple[Engine, ...] = ("openvino", "onnxruntime")
        wanted = tuple(e for e in engines if device == "auto" or device in _DEVICES[e])
    for name in wanted:
        if find_spec(name) is not None:
            return name
    raise ModelError(
        "model.no_engine",
        "{names} is not installed; install anjeon[{extra}], or set ANJEON_BACKEND=auto",
        names=" or ".join(wanted),
        extra="ultralytics" if "ultralytics" in wanted else "onnxruntime",
    )


def _hardware(engine: Engine, device: Device) -> Hardware:
    if device != "auto":
        return device
    usable = engine == "ultralytics" or (engine == "onnxruntime" and _offered("cuda"))
    return "cuda" if usable and nvidia_gpus() else "cpu"


def _offered(device: str) -> bool:
    """Whether the ONNX Runtime that is installed was built for this device."""
    if find_spec("onnxruntime") is None:
        return False
    import onnxruntime

    return _PROVIDERS[device] in onnxruntime.get_available_providers()


def _check_present(engine: Engine, hardware: Hardware) -> None:
    if hardware in ("cuda", "tensorrt") and not nvidia_gpus():
        raise missing(hardware, "no NVIDIA driver answers on this machine; check 'nvidia-smi'")
    if engine == "onnxruntime" and hardware != "cpu" and not _offered(hardware):
        raise missing(
            hardware,
            "the ONNX Runtime that is installed was built without it; replace it by"
            " onnxruntime-gpu",
        )
    if engine == "openvino" and hardware != "cpu":
        import openvino

        there = openvino.Core().available_devices
        if not any(name.split(".")[0] == hardware.upper() for name in there):
            raise missing(hardware, f"OpenVINO sees {', '.join(there)} only; check the driver")


def missing(device: str, why: str) -> ModelError:
    """The device that was asked for cannot be used."""
    return ModelError(
        "model.no_device",
        "the device '{device}' that ANJEON_DEVICE asks for is not there: {why}, or set"
        " ANJEON_DEVICE=auto",
        device=device,
        why=why,
    )


def _mismatch(what: str, device: str, valid: str) -> ModelError:
    return ModelError(
        "model.device_mismatch",
        "{what} does not run on {device}; set ANJEON_DEVICE to one of: {valid}",
        what=what,
        device=device,
        valid=valid,
    )
