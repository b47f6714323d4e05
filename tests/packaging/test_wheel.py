"""The wheel: our five packages and nothing else, complete, and it runs where it is installed."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV_TIMEOUT_S = 600


def run(*command: str | Path, cwd: Path) -> str:
    """Output of a command that must succeed, run without our environment's variables."""
    environment = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=UV_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def uv() -> str:
    """The uv that set this environment up."""
    code = "import sys; sys.path.insert(0, 'scripts'); import bootstrap; print(bootstrap.find_uv())"
    return run(sys.executable, "-c", code, cwd=ROOT).splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree."""
    place = tmp_path_factory.mktemp("wheel")
    run(uv, "build", "--wheel", "--quiet", "--out-dir", place, cwd=ROOT)
    (built,) = place.glob("anjeon-*.whl")
    return built


@pytest.mark.timeout(UV_TIMEOUT_S)
def test_it_brings_our_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    assert packages == {"safety", "cameras", "zones", "alerts", "dashboard"}
    assert len(tops - packages) == 1
    assert not [name for name in names if Path(name).name.startswith(("test_", "conftest"))]


@pytest.mark.parametrize(
    "part",
    [
        "safety/demo/site.yaml",
        "safety/models/people-pose.onnx",
        "safety/models/people-pose.md",
        "safety/models/ppe.onnx",
        "safety/models/ppe.md",
        "safety/models/checksums.json",
        "safety/demo/scenes/cell_intrusion.mp4",
        "safety/locale/ko/LC_MESSAGES/anjeon.po",
        "safety/locale/en/LC_MESSAGES/anjeon.po",
        "safety/store/migrations/versions/",
        "dashboard/templates/base.html",
        "dashboard/static/css/anjeon.css",
        "dashboard/static/vendor/htmx.min.js",
        "dashboard/static/vendor/pretendard/LICENSE.txt",
        "safety/reports/fonts/Pretendard-Regular.otf",
        "safety/reports/paper.typ",
        ".dist-info/licenses/LICENSE",
        ".dist-info/licenses/NOTICE",
    ],
)
@pytest.mark.timeout(UV_TIMEOUT_S)
def test_it_is_complete(wheel: Path, part: str) -> None:
    assert any(part in name for name in zipfile.ZipFile(wheel).namelist())


@pytest.mark.timeout(UV_TIMEOUT_S)
def test_it_runs_where_it_is_installed_and_brings_no_torch(
    wheel: Path, uv: str, tmp_path: Path
) -> None:
    environment = tmp_path / "installed"
    run(uv, "venv", "--quiet", "--python", sys.executable, environment, cwd=tmp_path)
    python = environment / "bin" / "python"
    run(uv, "pip", "install", "--quiet", "--python", python, wheel, cwd=tmp_path)
    assert run(environment / "bin" / "anjeon", "version", cwd=tmp_path).strip()
    site = environment / "lib"
    assert "ok" in run(
        environment / "bin" / "anjeon",
        "site", "check", next(site.rglob("safety/demo/site.yaml")),
        cwd=tmp_path,
    )  # fmt: skip
    assert not list(site.rglob("site-packages/torch"))


def test_another_package_that_takes_one_of_our_names_is_noticed(tmp_path: Path) -> None:
    foreign = tmp_path / "zones"
    foreign.mkdir()
    (foreign / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "safety.cli", "version"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "the Python package 'zones' comes from" in done.stderr
