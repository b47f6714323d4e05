"""Cameras set up by page: added, tried, changed, switched off with a reason, removed."""

import stat
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from cameras.probe import probe
from cameras.specs import CameraSpec, FileSpec, RtspSpec
from dashboard.camera_forms import SOURCES, fields_of
from dashboard.spec_fields import values_of
from safety.clock import SystemClock
from safety.config import read_secret
from safety.errors import ConfigError
from safety.i18n import LANGUAGES, catalogue
from safety.secret_files import secret_reference
from safety.site.apply import load_site
from safety.store.accounts import Role
from tests.support.factory import Factory
from tests.support.rtsp import Mount, RtspServer
from tests.support.web import Browser, Site
from tests.unit.test_plant_pages import etag_in, sent

URL = "rtsp://10.0.0.21/stream"


def form_of(kind: str, **changes: str) -> dict[str, Any]:
    """A camera's form as a browser sends it, with some fields changed."""
    pairs = sent(fields_of(kind), values_of(fields_of(kind), {}))
    return {**{name: str(value) for name, value in pairs}, "kind": kind, **changes}


def camera_of(site: Site, camera_id: str) -> CameraSpec | None:
    with site.database.reading() as session:
        cameras = load_site(session).spec.cameras
    return next((each for each in cameras if each.id == camera_id), None)


def added(browser: Browser, form: dict[str, Any]) -> str:
    answer = browser.post("/cameras", form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_has_a_text(language: str) -> None:
    known = catalogue("ko" if language == "ko" else "en")
    fields = [field for kind in SOURCES for field in fields_of(kind)]
    fields += [field for group in fields for field in group.fields]
    names = {field.text_key for field in fields if field.widget != "group"}
    assert [name for name in names if name not in known] == []


def test_a_camera_is_added_changed_and_its_password_kept_apart(
    site: Site, factory: Factory
) -> None:
    browser = site.signed_in(Role.MANAGER)
    login = {"source.username": "viewer", "new_password": "s3cret wörd"}
    form = form_of("rtsp", name="Gate 1", **{"source.url": URL}, **login)
    place = added(browser, form)
    assert place == "/cameras/gate-1"
    spec = camera_of(site, "gate-1")
    assert spec is not None
    assert isinstance(spec.source, RtspSpec)
    assert spec.source.password is not None
    assert read_secret(spec.source.password) == "s3cret wörd"
    kept = Path(spec.source.password.removeprefix("file:"))
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    page = browser.get(place).text
    assert "s3cret" not in page
    with site.database.reading() as session:
        assert "s3cret" not in load_site(session).spec.model_dump_json()
    same = {"source.password": spec.source.password, "etag": etag_in(page), "max_fps": "5"}
    again = {**form, **same, "new_password": ""}
    assert browser.post(place, again).status_code == 303
    changed = camera_of(site, "gate-1")
    assert changed is not None
    assert (changed.max_fps, changed.source) == (5.0, spec.source)
    assert browser.post(place, again).status_code == 412
    assert browser.post(f"{place}/delete").status_code == 303
    assert not kept.exists()


def test_a_camera_that_is_switched_off_is_not_monitored_and_says_why(
    site: Site, factory: Factory
) -> None:
    browser = site.signed_in(Role.MANAGER)
    assert browser.post("/cameras/aisle/off", {"reason": " "}).status_code == 422
    browser.post("/cameras/aisle/off", {"reason": "공사 <중>"})
    off = camera_of(site, "aisle")
    assert off is not None
    assert (off.enabled, off.disabled_reason) == (False, "공사 <중>")
    viewer = site.signed_in(Role.VIEWER)
    for path in ("/", "/cameras"):
        assert "공사 &lt;중&gt;" in viewer.get(path).text
    [tile] = [
        each
        for each in viewer.get("/api/v1/live/status").json()["cameras"]
        if each["id"] == "aisle"
    ]
    assert tile["state"] == "blind"
    browser.post("/cameras/aisle/on")
    on = camera_of(site, "aisle")
    assert on is not None
    assert (on.enabled, on.disabled_reason) == (True, None)


def test_a_camera_that_is_needed_stays_and_says_by_whom(site: Site, factory: Factory) -> None:
    browser = site.signed_in(Role.MANAGER)
    page = browser.get("/cameras/robot").text
    assert 'href="/zones/fence"' in page
    assert "/cameras/robot/delete" not in page
    assert browser.post("/cameras/robot/delete").status_code == 409
    assert camera_of(site, "robot") is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"source.url": "http://10.0.0.21/"}, "source.url"),
        ({"source.url": "rtsp://user:word@10.0.0.21/"}, "source.url"),
        ({"source.password": "the password"}, "source.password"),
        ({"max_fps": "0"}, "max_fps"),
        ({"network_width": "700"}, "network_width"),
    ],
)
def test_mistakes_are_shown_where_they_are(
    site: Site, factory: Factory, changes: dict[str, str], field: str
) -> None:
    browser = site.signed_in(Role.MANAGER)
    form = {**form_of("rtsp", name="Gate"), "source.url": URL, **changes}
    answer = browser.post("/cameras", form)
    assert answer.status_code == 422
    assert f'id="problem-{field}"' in answer.text
    assert camera_of(site, "gate") is None


def test_only_managers_set_cameras_up(site: Site, factory: Factory) -> None:
    operator = site.signed_in(Role.OPERATOR)
    assert "/cameras/new" not in operator.get("/cameras").text
    for path in ("/cameras/new", "/cameras/aisle", "/cameras/trials/x"):
        assert operator.get(path).status_code == 403
    assert operator.post("/cameras/try", form_of("synthetic", name="x")).status_code == 403
    manager = site.signed_in(Role.MANAGER)
    for path in ("/cameras/new?kind=telescope", "/cameras/none", "/cameras/trials/x"):
        assert manager.get(path).status_code == 404


def picture_in(browser: Browser, answer: httpx.Response) -> httpx.Response:
    return browser.get(answer.text.partition('src="')[2].partition('"')[0])


def test_a_network_camera_is_tried_with_a_password_that_nobody_keeps(
    site: Site, factory: Factory, films: dict[str, Path]
) -> None:
    browser = site.signed_in(Role.MANAGER)
    guarded = Mount(film=films["plain"], username="viewer", password="right")
    with RtspServer({"gate": guarded}) as server:
        login = {"source.url": server.url("gate"), "source.username": "viewer"}
        form = form_of("rtsp", name="Gate", **login)
        refused = browser.post("/cameras/try", {**form, "new_password": "wrong"})
        assert 'class="warn"' in refused.text
        assert "src=" not in refused.text
        seen = browser.post("/cameras/try", {**form, "new_password": "right"})
        assert "H264 320×180" in seen.text, seen.text
        picture = picture_in(browser, seen)
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.content.startswith(b"\xff\xd8")
        source = RtspSpec(url=server.url("gate"), username="viewer", password="env:RIGHT")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RIGHT", "right")
            found = probe(source, timeout_s=30, clock=SystemClock(), thorough=True)
        assert found.reordered is False
        assert found.clock_ahead_s is not None
        assert abs(found.clock_ahead_s) < 2.0, "the server's clock is ours"
    secrets = site.settings.data_dir / "secrets"
    assert list(secrets.iterdir()) == []


def test_b_frames_are_remarked(films: dict[str, Path]) -> None:
    source = FileSpec(path=films["reordered"])
    found = probe(source, timeout_s=30, clock=SystemClock(), thorough=True)
    assert found.reordered is True


def test_secrets_are_not_kept_where_references_cannot_point(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        secret_reference(tmp_path / "with blanks", "camera-gate")
    assert caught.value.key == "config.secret_blank"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two seconds each, with and without B-frames."""
    directory = tmp_path_factory.mktemp("films")
    return {name: _film(directory / f"{name}.mp4", depth) for name, depth in FILMS.items()}


FILMS = {"plain": 0, "reordered": 2}


def _film(path: Path, b_frames: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.options = {"bf": str(b_frames), "g": "10", "b-pyramid": "none"}
        for number in range(20):
            pixels = np.full((180, 320, 3), number * 10, np.uint8)
            pixels[:, number * 10 : number * 10 + 40] = 255
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
