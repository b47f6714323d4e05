"""What the command line says to mistakes: one clear line, what to do, no traceback."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from safety.config import Settings
from safety.demo import SITE
from safety.perception.devices import nvidia_gpus
from safety.store.database import Database
from tests.support.networks import POSE_CARD, POSE_ROWS, write_network
from tests.support.plant import MakePlant, cell_site

FILM = SITE.parent / "scenes" / "cell_intrusion.mp4"

GOOD_SITE = """\
version: 1
name: Plant
cameras:
  - {id: gate, name: Gate, source: {kind: synthetic}}
"""

BAD_SITES = {
    "camera.yaml": GOOD_SITE.replace("cameras", "camera"),
    "source.yaml": GOOD_SITE.replace("synthetic", "syntetic"),
    "secret.yaml": GOOD_SITE
    + "channels:\n"
    + "  - {id: s, name: S, kind: mqtt_siren, host: h, topic: t,\n"
    + "     username: anna, password: 'env:NOT_SET_ANYWHERE'}\n",
    "three.yaml": GOOD_SITE + "languge: ko\nzones: none\nchannel: []\n",
    "binary.yaml": GOOD_SITE + "\x00",
}


class Workplace:
    """A directory with a data directory, good and bad files, and the command ``anjeon``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "afile").write_text("not a directory")
        (directory / "good.yaml").write_text(GOOD_SITE)
        for name, content in BAD_SITES.items():
            (directory / name).write_text(content)

    def anjeon(
        self, *arguments: str, stdin: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        ours = {name for name in os.environ if name.startswith("ANJEON_")} - {"ANJEON_SHARED"}
        environment = {name: value for name, value in os.environ.items() if name not in ours}
        environment |= {"ANJEON_DATA_DIR": "data", "NO_COLOR": "1", "COLUMNS": "200"}
        environment |= variables
        return subprocess.run(
            [sys.executable, "-m", "safety.cli", *arguments],
            cwd=self.directory,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("here"))


def assert_refused(done: subprocess.CompletedProcess[str], *words: str, lines: int = 1) -> None:
    """Status 2 and so many lines, with these words in them."""
    said = done.stderr.strip()
    assert done.returncode == 2, said
    assert "Traceback" not in said
    assert said.startswith("anjeon: "), said
    assert len(said.splitlines()) == lines, said
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["site", "check", "none.yaml"], ["none.yaml", "no such file"]),
        (["site", "check", "binary.yaml"], ["binary.yaml:5"]),
        (["site", "check", "camera.yaml"], ["camera.yaml:3: camera", "did you mean 'cameras'?"]),
        (["site", "apply", "source.yaml"], ["source.yaml:4", "did you mean 'synthetic'?"]),
        (["site", "apply", "secret.yaml"], ["secret.yaml:7", "env:NOT_SET_ANYWHERE", "set it"]),
        (
            ["site", "export", "/nowhere/site.yaml"],
            ["cannot be written (no such file", "give the path"],
        ),
        (["shard", "--id", "../x"], ["use lower-case letters"]),
        (["user", "passwd", "nobody"], ["nobody has the login 'nobody'", "anjeon user add"]),
        (["model", "add", "nowhere.pt"], ["cannot be read", "check the path"]),
        (["model", "add", "afile"], ["is not a complete ONNX file"]),
        (["model", "add", "afile", "--map", "vest"], ["write --map"]),
        (["model", "pull", "yolo99"], ["yolo11s-pose", "--sha256"]),
        (["model", "train", "--recipe", "ppe", "--data", ".", "--out", "o"], ["anjeon[train]"]),
    ],
)
def test_arguments_that_cannot_be(here: Workplace, arguments: list[str], words: list[str]) -> None:
    assert_refused(here.anjeon(*arguments), *words)


def test_every_problem_of_a_site_is_told_at_once_and_nothing_is_applied(here: Workplace) -> None:
    assert_refused(here.anjeon("site", "apply", "three.yaml"), ":5: ", ":6: ", ":7: ", lines=3)
    assert "gate" not in here.anjeon("site", "export").stdout


def test_a_secret_may_be_missing_where_a_site_is_only_written(here: Workplace) -> None:
    done = here.anjeon("site", "check", "--no-secrets", "secret.yaml")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "variables", "words"),
    [
        ("demo", {"ANJEON_PORT": "http"}, ["ANJEON_PORT", "a valid integer"]),
        ("engine", {"ANJEON_BACKEND": "cuda"}, ["ANJEON_BACKEND", "'openvino'"]),
        ("doctor", {"ANJEON_POSE_MODLE": "x"}, ["did you mean ANJEON_POSE_MODEL?"]),
        ("run", {"ANJEON_DATA_DIR": "afile"}, ["it is a file", "set ANJEON_DATA_DIR"]),
        ("dashboard", {"ANJEON_DATA_DIR": "/proc/x"}, ["no such file", "set ANJEON_DATA_DIR"]),
        ("dashboard", {"ANJEON_HOST": "192.0.2.1"}, ["no address of this machine", "127.0.0.1"]),
        ("demo", {"ANJEON_POSE_MODEL": "none.onnx"}, ["does not exist", "ANJEON_POSE_MODEL"]),
        ("dashboard", {"ANJEON_DATABASE_URL": "mysql://u:hush@h/x"}, ["use sqlite or postgresql"]),
        (
            "dashboard",
            {"ANJEON_DATABASE_URL": "postgresql://u:hush@127.0.0.1:1/x"},
            ["cannot be reached", "check that it runs"],
        ),
    ],
)
def test_settings_that_cannot_be(
    here: Workplace, command: str, variables: Mapping[str, str], words: list[str]
) -> None:
    done = here.anjeon(command, **variables)
    assert_refused(done, *words)
    assert "hush" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["enginee"], ["Did you mean 'engine'"]),
        (["site", "chek", "good.yaml"], ["Did you mean 'check'"]),
        (["demo", "--seconds", "soon"], ["--seconds", "valid number"]),
        (["engine", "--prot", "1"], ["No such option", "--prot"]),
        (["user", "add", "kim", "--role", "boss"], ["boss", "viewer"]),
    ],
)
def test_commands_that_do_not_exist(
    here: Workplace, arguments: list[str], words: list[str]
) -> None:
    done = here.anjeon(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_password_that_is_too_short_is_refused(here: Workplace) -> None:
    done = here.anjeon("user", "add", "kim", stdin="short\nshort\n")
    assert done.returncode == 2
    assert "10" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@contextmanager
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize(
    ("command", "setting"), [("dashboard", "ANJEON_PORT"), ("engine", "ANJEON_METRICS_PORT")]
)
def test_a_port_that_somebody_has(here: Workplace, command: str, setting: str) -> None:
    with taken_port() as port:
        done = here.anjeon(command, **{setting: port})
    assert_refused(done, f"port {port}", f"set {setting} to a free port")


@pytest.mark.parametrize("command", [["dashboard"], ["engine"]])
def test_a_database_of_a_newer_version(here: Workplace, tmp_path: Path, command: list[str]) -> None:
    database = Database(Settings(data_dir=tmp_path).database)
    database.migrate()
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()
    done = here.anjeon(*command, ANJEON_DATA_DIR=str(tmp_path), ANJEON_METRICS_PORT="0")
    assert_refused(done, "newer version of Anjeon")


# Networks

Spoil = Callable[[Path], None]


def truncate(path: Path) -> None:
    network(path, {})
    path.write_bytes(path.read_bytes()[:-500])


def network(path: Path, changes: Mapping[str, str]) -> None:
    write_network(path, np.zeros((8, POSE_ROWS), np.float32), card={**POSE_CARD, **changes})


BAD_NETWORKS: dict[str, tuple[Spoil, str]] = {
    "missing": (lambda _: None, "does not exist; check the path in ANJEON_POSE_MODEL"),
    "truncated": (truncate, "is not a complete ONNX file"),
    "wrong task": (lambda path: network(path, {"task": "detect"}), "use a YOLO11 pose network"),
}


@pytest.mark.parametrize("case", BAD_NETWORKS)
def test_doctor_says_what_is_wrong_with_the_network(
    here: Workplace, tmp_path: Path, case: str
) -> None:
    spoil, words = BAD_NETWORKS[case]
    spoil(tmp_path / "pose.onnx")
    done = here.anjeon("doctor", ANJEON_POSE_MODEL=str(tmp_path / "pose.onnx"))
    assert done.returncode == 1
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("FAIL"))
    assert "network: the model file" in line
    assert words in line
    assert "Traceback" not in done.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", BAD_NETWORKS)
def test_the_engine_runs_on_and_its_cameras_are_not_monitored(
    make_plant: MakePlant, tmp_path: Path, case: str
) -> None:
    spoil, words = BAD_NETWORKS[case]
    spoil(tmp_path / "pose.onnx")
    plant = make_plant(
        cell_site({"kind": "file", "path": str(FILM)}),
        environment={"ANJEON_POSE_MODEL": str(tmp_path / "pose.onnx")},
    )
    engine = plant.start("engine")
    plant.wait_for(
        lambda: plant.readiness().get("camera cell") == "model_error", why="the camera says why"
    )
    assert plant.get("/healthz")[0] == 200
    assert plant.get("/readyz")[0] == 503
    assert engine.poll() is None
    assert words in plant.log("engine")
    assert "Traceback" not in plant.log("engine")
    assert all(interval.state == "blind" for interval in plant.coverage("cell"))


@pytest.mark.timeout(300)
@pytest.mark.skipif(nvidia_gpus() > 0, reason="this machine has an NVIDIA GPU")
def test_without_the_gpu_that_was_asked_for_the_processor_watches(make_plant: MakePlant) -> None:
    plant = make_plant(
        cell_site({"kind": "file", "path": str(FILM)}), environment={"ANJEON_DEVICE": "cuda"}
    )
    plant.start("engine")
    plant.wait_live("cell")
    plant.wait_for(
        lambda: plant.metric("anjeon_shard_device_failed", shard="shard-0") == 1,
        why="the engine knows of the missing GPU",
    )
    assert "no NVIDIA driver answers" in plant.log("engine")
    assert "Traceback" not in plant.log("engine")
