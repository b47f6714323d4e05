"""``anjeon model``: list, verify, add, pull, export."""

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import onnx
import pytest

from safety.app import model as commands
from safety.app import model_pull
from safety.app.model_add import add_model, parse_map
from safety.app.model_export import Export, Form, export_model
from safety.app.model_pull import Pinned, pull_model
from safety.config import Settings
from safety.errors import AnjeonError, ConfigError, ModelError
from safety.perception.bundle import shipped, write_list
from safety.perception.load import load_object_detector, load_pose_detector
from safety.perception.models import find_pose_model, find_ppe_model
from tests.support.networks import POSE_CARD, PPE_CARD, person, write_network
from tests.support.pictures import POSE_MODEL
from tests.support.third_party import third_party

HELMETS = PPE_CARD | {"names": "{0: 'Safety Vest', 1: 'Hard_Hat', 2: 'NO-Vest', 3: 'machinery'}"}
CROP = np.full((256, 256, 3), 114, np.uint8)
OBJECTS = np.array(
    [
        [40, 40, 20, 20, 0.9, 0, 0, 0],
        [90, 40, 20, 20, 0, 0.8, 0, 0],
        [140, 40, 20, 20, 0, 0, 0.7, 0],
        [190, 40, 20, 20, 0, 0, 0, 0.6],
    ],
    np.float32,
)
PERSONS = np.array([person(200, 100, 40, 90, 0.6)], np.float32)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", pose_model=None, ppe_model=None)


@pytest.fixture
def helmets(tmp_path: Path) -> Path:
    """A customer's network with class names of its own."""
    return write_network(tmp_path / "Helmets.onnx", OBJECTS, card=HELMETS)


def test_a_customers_network_is_added_with_its_classes_mapped(
    settings: Settings, helmets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_model(settings, helmets, name=None, wanted={"Safety Vest": "vest", "Hard_Hat": "hardhat"})

    assert "use it with ANJEON_PPE_MODEL=helmets" in capsys.readouterr().out
    chosen = find_ppe_model(settings.model_copy(update={"ppe_model": Path("helmets")}))
    assert chosen == settings.models_dir / "helmets.onnx"
    detector = load_object_detector(chosen, width=256, cache_dir=settings.models_dir)
    (found,) = detector.detect([CROP])
    # NO-Vest differs from ours in spelling only; machinery means nothing here.
    assert [detector.names[i] for i in found.classes] == ["vest", "hardhat", "no-vest"]
    assert found.scores == pytest.approx([0.9, 0.8, 0.7])
    detector.close()
    assert not list(settings.models_dir.glob("adding-*"))


def test_classes_of_a_pose_network_are_mapped_too(settings: Settings, tmp_path: Path) -> None:
    anchors = np.zeros((2, 57), np.float32)
    anchors[:, :4] = [[200, 100, 40, 90], [400, 100, 40, 90]]
    anchors[0, 4], anchors[1, 5] = 0.9, 0.8
    card = POSE_CARD | {"names": "{0: 'dog', 1: 'worker'}"}
    file = write_network(tmp_path / "workers.onnx", anchors, card=card)

    with pytest.raises(ModelError, match="say which of these is a person"):
        add_model(settings, file, name=None, wanted={})
    add_model(settings, file, name="ours", wanted={"worker": "person"})

    chosen = find_pose_model(settings.model_copy(update={"pose_model": Path("ours")}))
    detector = load_pose_detector(
        chosen, width=640, aspect=16 / 9, cache_dir=settings.models_dir, confidence=0.1
    )
    (found,) = detector.detect([np.full((360, 640, 3), 114, np.uint8)])
    assert (found.classes.tolist(), found.scores.tolist()) == ([0], [pytest.approx(0.8)])
    detector.close()


@pytest.mark.parametrize(
    ("card", "wanted", "said"),
    [
        ({"task": "segment"}, {}, "has the task 'segment'"),
        ({"task": "pose"}, {}, "say which of these is a person"),
        ({"names": "{0: 'a', 1: 'b', 2: 'c', 3: 'd'}"}, {}, "--map 'a=hardhat'"),
        ({}, {"Safety Vset": "vest"}, "did you mean 'Safety Vest'?"),
        ({}, {"Hard_Hat": "hard-hat"}, "did you mean 'hardhat'?"),
        ({"names": "{0: 'vest'}"}, {}, "its output has 8 rows, not 5"),
        ({"end2end": "True"}, {"Hard_Hat": "hardhat"}, "end2end=False"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    settings: Settings, tmp_path: Path, card: dict[str, str], wanted: dict[str, str], said: str
) -> None:
    file = write_network(tmp_path / "net.onnx", OBJECTS, card=HELMETS | card)
    with pytest.raises(ModelError) as refused:
        add_model(settings, file, name=None, wanted=wanted)
    assert said in str(refused.value)
    assert list(settings.models_dir.glob("*")) == []


def test_a_network_that_gives_no_numbers_is_refused(settings: Settings, tmp_path: Path) -> None:
    anchors = OBJECTS.copy()
    anchors[0, 0] = np.nan
    file = write_network(tmp_path / "net.onnx", anchors, card=PPE_CARD)
    with pytest.raises(ModelError, match="NaN"):
        add_model(settings, file, name=None, wanted={})
    assert list(settings.models_dir.glob("*")) == []


def test_a_network_of_another_size_is_refused(settings: Settings, tmp_path: Path) -> None:
    file = write_network(tmp_path / "net.onnx", OBJECTS, card=PPE_CARD, size_px=(640, 640))
    with pytest.raises(ModelError, match="dynamic=True"):
        add_model(settings, file, name=None, wanted={})


def test_a_name_is_given_once(settings: Settings, helmets: Path, tmp_path: Path) -> None:
    other = write_network(tmp_path / "other.onnx", OBJECTS[:2], card=HELMETS)
    add_model(settings, helmets, name="one", wanted={"Hard_Hat": "hardhat"})
    add_model(settings, helmets, name="one", wanted={"Hard_Hat": "no-hardhat"})
    with pytest.raises(ModelError, match="choose another one with --name"):
        add_model(settings, other, name="one", wanted={"Hard_Hat": "hardhat"})


@pytest.mark.parametrize("name", ["../up", "Große", ""])
def test_names_become_file_names(settings: Settings, tmp_path: Path, name: str) -> None:
    file = write_network(tmp_path / "Größe.onnx", OBJECTS, card=PPE_CARD)
    with pytest.raises(ConfigError, match="--name"):
        add_model(settings, file, name=name, wanted={})


@pytest.mark.parametrize("pair", ["hardhat", "=hardhat", "helmet=", "="])
def test_a_map_is_pairs(pair: str) -> None:
    with pytest.raises(ConfigError, match="Safety Helmet=hardhat"):
        parse_map(["vest=vest", pair])


def test_a_map_may_have_any_names() -> None:
    assert parse_map(["a = b=vest", "안전모=hardhat"]) == {"a = b": "vest", "안전모": "hardhat"}


@pytest.mark.parametrize("content", [b"", b"no network", bytes(500)])
@pytest.mark.parametrize("suffix", [".onnx", ".pt", ".engine"])
def test_files_that_are_no_networks(
    settings: Settings, tmp_path: Path, content: bytes, suffix: str
) -> None:
    file = tmp_path / f"net{suffix}"
    file.write_bytes(content)
    with pytest.raises(ModelError, match=str(file)):
        add_model(settings, file, name=None, wanted={})


def test_an_engine_file_needs_its_gpu(settings: Settings, tmp_path: Path) -> None:
    header = {"task": "detect", "names": {"0": "hardhat"}, "imgsz": [256, 256]}
    text = json.dumps(header).encode()
    file = tmp_path / "net.engine"
    file.write_bytes(len(text).to_bytes(4, "little") + text + bytes(100))
    with pytest.raises(ModelError) as refused:
        add_model(settings, file, name=None, wanted={})
    assert refused.value.key in ("model.no_engine", "model.no_device", "model.engine_refused")
    assert list(settings.models_dir.glob("*")) == []


def test_the_list_says_what_there_is_and_what_is_used(
    settings: Settings, helmets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_model(settings, helmets, name="helmets", wanted={"Safety Vest": "vest"})
    mine = write_network(tmp_path / "mine.onnx", PERSONS)
    chosen = {"ppe_model": Path("helmets"), "pose_model": mine}
    capsys.readouterr()

    commands.list_models(settings.model_copy(update=chosen))

    said = capsys.readouterr().out
    assert "helmets  (added)  in use for protective equipment" in said
    assert "Safety Vest = vest" in said
    assert "(machinery: ignored)" in said
    assert "mine  (chosen)  in use for people" in said
    assert hashlib.sha256(helmets.read_bytes()).hexdigest() in said


def test_verification_finds_a_changed_file(
    settings: Settings,
    helmets: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(commands, "FOLDER", settings.data_dir)
    monkeypatch.setattr(commands, "shipped", partial(shipped, settings.data_dir))
    add_model(settings, helmets, name="helmets", wanted={"Safety Vest": "vest"})
    kept = settings.models_dir / "helmets.onnx"
    before = commands.verify_models(settings)
    kept.write_bytes(kept.read_bytes() + b"\0")
    assert not commands.verify_models(settings)
    assert before
    assert "add it again" in capsys.readouterr().out


def test_a_note_that_cannot_be_read(settings: Settings, helmets: Path) -> None:
    add_model(settings, helmets, name="helmets", wanted={"Safety Vest": "vest"})
    (settings.models_dir / "helmets.onnx.json").write_text("{}")
    with pytest.raises(ModelError, match="delete both"):
        load_object_detector(
            settings.models_dir / "helmets.onnx", width=256, cache_dir=settings.models_dir
        )


def test_the_checksums_of_bundled_networks(
    settings: Settings,
    helmets: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = helmets.parent
    write_list(folder, licence="AGPL-3.0-or-later")
    entry = shipped(folder)["Helmets.onnx"]
    assert entry.sha256 == hashlib.sha256(helmets.read_bytes()).hexdigest()
    assert (entry.bytes, entry.licence) == (helmets.stat().st_size, "AGPL-3.0-or-later")

    monkeypatch.setattr(commands, "FOLDER", folder)
    monkeypatch.setattr(commands, "shipped", partial(shipped, folder))
    assert commands.verify_models(settings)
    write_network(folder / "extra.onnx", PERSONS)
    helmets.unlink()
    assert not commands.verify_models(settings)
    said = capsys.readouterr().out
    assert "extra.onnx: it is not in the list" in said
    assert "Helmets.onnx: the file is missing" in said


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server over the test's own directory."""
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def test_a_network_is_pulled_and_checked(
    settings: Settings, tmp_path: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_network(tmp_path / "big.onnx", PERSONS)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    pull_model(settings, "big", url=f"{server}/big.onnx", sha256=digest.upper())
    assert (settings.models_dir / "big.onnx").is_file()
    assert "ANJEON_POSE_MODEL=big" in capsys.readouterr().out


@pytest.mark.third_party
def test_a_pinned_network_is_pulled_by_its_name(
    settings: Settings, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = third_party(POSE_MODEL).read_bytes()
    (tmp_path / "yolo11n-pose.pt").write_bytes(content)
    monkeypatch.setattr(model_pull, "_OFFICIAL", server)
    with pytest.raises(ModelError, match="it was not kept"):  # a rebuilt file, not the original
        pull_model(settings, "yolo11n-pose", url=None, sha256=None)
    pinned = Pinned("yolo11n-pose.pt", hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(model_pull.PINNED, "yolo11n-pose", pinned)
    pull_model(settings, "yolo11n-pose", url=None, sha256=None)
    assert (settings.models_dir / "yolo11n-pose.onnx").is_file()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("{server}/nowhere.onnx", "404"),
        ("http://127.0.0.1:1/net.onnx", "cannot be fetched"),
        ("nonsense", "cannot be fetched"),
        ("{server}/other.onnx", "not " + "0" * 64),
    ],
)
def test_what_cannot_be_pulled_says_what_to_do(
    settings: Settings, tmp_path: Path, server: str, url: str, said: str
) -> None:
    write_network(tmp_path / "other.onnx", PERSONS)
    with pytest.raises(ModelError) as refused:
        pull_model(settings, "net", url=url.format(server=server), sha256="0" * 64)
    assert said in str(refused.value)
    assert not list(settings.models_dir.glob("*"))


def test_without_internet_the_file_to_copy_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_pull, "_OFFICIAL", "http://127.0.0.1:1")
    with pytest.raises(ModelError, match=r"copy yolo11s-pose\.pt to this machine"):
        pull_model(settings, "yolo11s-pose", url=None, sha256=None)


def test_an_answer_without_end_is_cut_off(
    settings: Settings, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_pull, "LARGEST_BYTES", 1000)
    (tmp_path / "net.onnx").write_bytes(bytes(100_000))
    with pytest.raises(ModelError, match="too large"):
        pull_model(settings, "net", url=f"{server}/net.onnx", sha256="0" * 64)


def test_a_name_that_nobody_pinned(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="yolo11s-pose"):
        pull_model(settings, "yolo99", url=None, sha256=None)


@pytest.mark.parametrize("half", [False, True])
def test_export_to_onnx_and_openvino(settings: Settings, tmp_path: Path, half: bool) -> None:
    file = write_network(tmp_path / "net.onnx", np.repeat(PERSONS, 50, axis=0))
    add_model(settings, file, name="ours", wanted={})
    out = tmp_path / "exported"

    export_model(settings, "ours", Export(form="onnx", half=half, out=out))
    export_model(settings, "ours", Export(form="openvino", half=half, out=out))

    onnx.checker.check_model(onnx.load(str(out / "ours.onnx")))
    written = {path.name for path in out.iterdir()}
    assert written == {"ours.onnx", "ours.xml", "ours.bin"}
    smaller = (out / "ours.onnx").stat().st_size < file.stat().st_size * 0.75
    assert smaller is half


@pytest.mark.parametrize(
    ("model", "form", "int8", "said"),
    [
        ("nobody", "onnx", False, "'anjeon model list'"),
        ("net.onnx", "engine", False, "is made from a .pt file"),
        ("net.onnx", "engine", True, "ANJEON_DEVICE=tensorrt"),
        ("net.engine", "onnx", False, "cannot become another form"),
        ("net.onnx", "onnx", True, "--pictures"),
    ],
)
def test_what_cannot_be_exported(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    model: str, form: Form, int8: bool, said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_network(tmp_path / "net.onnx", PERSONS)
    (tmp_path / "net.engine").write_bytes(b"")
    with pytest.raises(AnjeonError) as refused:
        export_model(settings, model, Export(form=form, int8=int8, out=tmp_path))
    assert said in str(refused.value)
