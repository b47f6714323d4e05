"""Checkpoints become ONNX, and files that are none are refused with advice."""

import io
import pickle
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest

from safety.errors import ModelError
from safety.perception.checkpoint import read_checkpoint
from safety.perception.convert import convert, converted
from tests.support.pictures import POSE_MODEL
from tests.support.third_party import third_party

STORAGE = b"(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nI4\ntQ"
"""Pickle of a reference to storage 0 with four numbers, in protocol 0."""


def _archive(path: Path, data: bytes, storage: bytes | None = None) -> Path:
    """A checkpoint with this pickle in it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", data)
        if storage is not None:
            archive.writestr("net/data/0", storage)
    return path


def _tensor(offset: int, size: str, stride: str) -> bytes:
    """Pickle of a checkpoint with one tensor over storage 0."""
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE
    return b"(dVx\n" + call + f"I{offset}\n{size}{stride}tRs.".encode()


@pytest.mark.parametrize(
    "name",
    ["os system", "builtins eval", "builtins getattr", "posix system", "torch load",
     "numpy.core.multiarray _reconstruct", "ultralytics.nn.modules.block RepVGGDW",
     "torch.nn.modules.linear Linear"],
)  # fmt: skip
def test_names_that_are_not_on_the_list_are_refused(tmp_path: Path, name: str) -> None:
    witness = tmp_path / "witness"
    module, attribute = name.split()
    data = f"c{module}\n{attribute}\n(Vtouch {witness}\ntR.".encode()
    with pytest.raises(ModelError) as refused:
        read_checkpoint(_archive(tmp_path / "net.pt", data))
    assert refused.value.key == "model.unsupported"
    assert f"{module}.{attribute}" in str(refused.value)
    assert "export" in str(refused.value)
    assert not witness.exists()


def test_a_tensor_is_read_with_its_strides(tmp_path: Path) -> None:
    storage = np.arange(4, dtype="<f4").tobytes()
    data = _tensor(0, "(I2\nI2\nt", "(I1\nI2\nt")
    checkpoint = read_checkpoint(_archive(tmp_path / "net.pt", data, storage))
    np.testing.assert_array_equal(checkpoint["x"], [[0, 2], [1, 3]])


def test_the_settings_of_an_unfinished_training_are_no_obstacle(tmp_path: Path) -> None:
    data = b"(dVargs\ncultralytics.utils\nIterableSimpleNamespace\n(tR(dVlr0\nF0.01\nsbs."
    checkpoint = read_checkpoint(_archive(tmp_path / "last.pt", data))
    assert getattr(checkpoint["args"], "attribute")("lr0") == 0.01  # noqa: B009


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, "(I5\nt", "(I1\nt"),
        (1, "(I4\nt", "(I1\nt"),
        (0, "(I2\nI2\nt", "(I9\nI1\nt"),
        (-1, "(I2\nt", "(I1\nt"),
        (0, "(I2\nt", "(I-1\nt"),
        (3, "(I-1\nt", "(I1\nt"),
        (0, "(I2\nt", "(t"),
    ],
)
def test_a_tensor_cannot_reach_beyond_its_storage(
    tmp_path: Path, offset: int, size: str, stride: str
) -> None:
    path = _archive(tmp_path / "net.pt", _tensor(offset, size, stride), bytes(16))
    with pytest.raises(ModelError, match="not a complete"):
        read_checkpoint(path)


def _no_bytes(_: bytes) -> bytes:
    return b""


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": _no_bytes,
    "text": lambda _: b"this is no network",
    "first half": lambda content: content[: len(content) // 2],
    "last byte missing": lambda content: content[:-1],
    "plain pickle": lambda _: pickle.dumps({"model": None}, protocol=2),
    "other zip": lambda _: _zip({"hello.txt": b"hello"}),
    "empty pickle": lambda _: _zip({"net/data.pkl": b""}),
    "half a pickle": lambda _: _zip({"net/data.pkl": pickle.dumps([1, 2, 3])[:-2]}),
    "missing storage": lambda _: _zip({"net/data.pkl": _tensor(0, "(I4\nt", "(I1\nt")}),
    "short storage": lambda _: _zip(
        {"net/data.pkl": _tensor(0, "(I4\nt", "(I1\nt"), "net/data/0": bytes(8)}
    ),
    "a list": lambda _: _zip({"net/data.pkl": pickle.dumps([1, 2, 3], protocol=2)}),
}


def _zip(entries: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return content.getvalue()


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_refused(tmp_path: Path, damage: str) -> None:
    whole = _zip({"net/data.pkl": pickle.dumps({}, protocol=2)})
    path = tmp_path / "net.pt"
    path.write_bytes(DAMAGES[damage](whole))
    with pytest.raises(ModelError) as refused:
        convert(path)
    assert refused.value.key == "model.unreadable"
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("content", [{}, {"model": None}, {"model": {"weights": 1}}, {"ema": 3}])
def test_a_checkpoint_without_a_network_is_refused(
    tmp_path: Path, content: dict[str, object]
) -> None:
    path = _archive(tmp_path / "net.pt", pickle.dumps(content, protocol=2))
    with pytest.raises(ModelError) as refused:
        convert(path)
    assert refused.value.key == "model.no_network"


@pytest.mark.parametrize("read", [convert, lambda path: converted(path, path.parent / "cache")])
def test_a_missing_file_is_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(ModelError) as refused:
        read(tmp_path / "nowhere.pt")
    assert refused.value.key == "model.missing"
    assert "nowhere.pt" in str(refused.value)


@pytest.mark.third_party
@pytest.mark.parametrize(
    ("name", "task", "names", "rows"),
    [
        (POSE_MODEL, "pose", "{0: 'person'}", 56),
        (
            "models/ppe-pilot.pt",
            "detect",
            "{0: 'hardhat', 1: 'no-hardhat', 2: 'vest', 3: 'no-vest'}",
            8,
        ),
    ],
)
def test_real_networks_become_valid_onnx(name: str, task: str, names: str, rows: int) -> None:
    model = convert(third_party(name))
    onnx.checker.check_model(model, full_check=True)
    card = {p.key: p.value for p in model.metadata_props}
    assert (card["task"], card["names"], card["stride"]) == (task, names, "32")
    shape = model.graph.output[0].type.tensor_type.shape
    assert [d.dim_value or d.dim_param for d in shape.dim] == ["batch", rows, "anchors"]


@pytest.mark.third_party
def test_conversion_is_kept_and_leaves_nothing_else(tmp_path: Path) -> None:
    model = third_party(POSE_MODEL)
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: converted(model, tmp_path / "cache"), range(4)))
    assert len(set(paths)) == 1
    assert list((tmp_path / "cache").iterdir()) == [paths[0]]
    written = paths[0].stat().st_mtime_ns
    assert converted(model, tmp_path / "cache").stat().st_mtime_ns == written


@pytest.mark.third_party
def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file stands where the directory should be")
    with pytest.raises(ModelError) as refused:
        converted(third_party(POSE_MODEL), tmp_path / "cache")
    assert refused.value.key == "model.cache"


@pytest.mark.third_party
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_real_network_is_refused(tmp_path: Path, share: float) -> None:
    content = third_party(POSE_MODEL).read_bytes()
    (tmp_path / "net.pt").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError) as refused:
        convert(tmp_path / "net.pt")
    assert refused.value.key == "model.unreadable"
