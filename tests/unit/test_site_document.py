"""``site.yaml``: what is wrong with it, said with line, place and the nearest valid word."""

from pathlib import Path

import pytest

from safety.errors import ConfigError
from safety.site import yaml_text
from safety.site.document import parse_site, read_site
from safety.site.problems import SiteError

HEAD = "version: 1\nname: Plant\n"
CAMERA = "cameras:\n  - {id: gate, name: Gate, source: {kind: synthetic}}\n"
ZONE = "zones:\n  - {id: door, name: D, camera_id: gate, polygon: [[0, 0], [1, 0], [1, 1]]}\n"
TWO_CAMERAS = CAMERA + "  - {id: press, name: Press, source: {kind: synthetic}}\n"
MANY_CHANNELS = "channels:\n" + "".join(
    f"  - {{id: c{n}, kind: recording, name: C}}\n" for n in range(257)
)


def _problems(text: str) -> list[str]:
    with pytest.raises(SiteError) as caught:
        parse_site(text)
    return [str(problem) for problem in caught.value.problems]


def _camera(*lines: str) -> str:
    """A site with one camera, whose first key stands on line 4."""
    return HEAD + "cameras:\n  - id: gate\n" + "".join(f"    {line}\n" for line in lines)


def _zone(polygon: str) -> str:
    """A site whose one zone has its polygon on line 9."""
    zone = "zones:\n  - id: door\n    name: D\n    camera_id: gate\n"
    return HEAD + CAMERA + zone + f"    polygon: {polygon}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (_camera("name: G", "source: {kind: synthetic}", "sourc: 1"),
         "7: cameras[0].sourc: unknown key; did you mean 'source'?"),
        (_camera("name: G", "source: {kind: synthetic}", "colour: red"),
         "7: cameras[0].colour: unknown key; known are id, name, enabled, source, network_width"),
        (_camera("name: G", "source:", "  kind: synthetic", "  hight_px: 480"),
         "8: cameras[0].source.hight_px: unknown key; did you mean 'height_px'?"),
        (HEAD + "camera: []\n", "3: camera: unknown key; did you mean 'cameras'?"),
        (_camera("source: {kind: synthetic}"),
         "4: cameras[0].name: is missing; add it (What people call it)"),
        (_camera("name: G"),
         "4: cameras[0].source: is missing; add it (Where the pictures come from)"),
        (_camera("name: 12", "source: {kind: synthetic}"),
         "5: cameras[0].name: must be text; put it in quotes"),
        (_camera("name: ''", "source: {kind: synthetic}"),
         "5: cameras[0].name: must not be empty"),
        (_camera("name: G", "source: {kind: synthetic}", "enabled: maybe"),
         "7: cameras[0].enabled: must be true or false, without quotes"),
        (_camera("name: G", "source: {kind: synthetic}", "max_fps: fast"),
         "7: cameras[0].max_fps: must be a number, without quotes"),
        (_camera("name: G", "source: {kind: synthetic}", "max_fps: 0"),
         "7: cameras[0].max_fps: must be greater than 0.0"),
        (_camera("name: G", "source: {kind: synthetic}", "max_fps: 1e999"),
         "7: cameras[0].max_fps: must be 60.0 or less"),
        (_camera("name: G", "source: {kind: synthetic}", "network_width: 700"),
         "7: cameras[0].network_width: must be 640 or 960 or 1280"),
        (_camera("name: G", "source: {kind: synthetic}", "network_width: '640'"),
         "7: cameras[0].network_width: must be 640 or 960 or 1280, without quotes"),
        (_camera("name: G", "source: {kind: rstp}"),
         "6: cameras[0].source.kind: must be rtsp or file or synthetic; did you mean 'rtsp'?"),
        (_camera("name: G", "source: {url: 'rtsp://x'}"),
         "6: cameras[0].source.kind: is missing; it says which sort this is"),
        (_camera("name: G", "source: synthetic"),
         "6: cameras[0].source: must be a mapping of keys to values"),
        (_camera("name: G", "source:", "  kind: rtsp", "  url: http://10.0.0.2"),
         "8: cameras[0].source.url: must start with rtsp:// or rtsps://"),
        (_camera("name: G", "source:", "  kind: rtsp", "  url: rtsp://a:b@10.0.0.2"),
         "8: cameras[0].source.url: must not contain user name or password; use username"),
        (_camera("name: G", "source:", "  {kind: rtsp, url: 'rtsp://x', password: hunter2}"),
         "7: cameras[0].source.password: must say where the secret is kept, env:NAME or file:/"),
        (HEAD + "cameras:\n  - {id: Gate 1, name: G, source: {kind: synthetic}}\n",
         "4: cameras[0].id: must be 1 to 63 of a-z, 0-9, - and _, beginning"),
        (HEAD + CAMERA + "  - {id: gate, name: Other, source: {kind: synthetic}}\n",
         "5: cameras[1].id: the id 'gate' is that of cameras[0] already; use another"),
        (HEAD + CAMERA + "  - just text\n",
         "5: cameras[1]: must be a mapping of keys to values"),
        (HEAD + MANY_CHANNELS, "3: channels: has more entries than the 256 allowed"),
        (HEAD + "cameras: gate\n",
         "3: cameras: must be a list: one '- …' line per item, or […]"),
        (_camera("name: G", "source: {kind: synthetic}", "name: H"),
         "7: cameras[0].name: the key stands on line 5 already; remove one"),
        (_zone("[[0.1, 0.1], [0.9, 0.9]]"),
         "9: zones[0].polygon: a zone needs 3 to 200 different corners, this one has 2"),
        (_zone("[[0, 0], [1, 1], [1, 0], [0, 1]]"),
         "9: zones[0].polygon: the outline crosses or touches itself"),
        (_zone("[[0, 0], [1, 0], [640, 480]]"),
         "9: zones[0].polygon: corner 3 (640, 480) is outside the picture"),
        (_zone("[[0, 0], [1, 0], [.nan, 1]]"),
         "9: zones[0].polygon[2][0]: must be a number, without quotes"),
        (HEAD + TWO_CAMERAS + ZONE.replace("camera_id: gate", "camera_id: gat"),
         "7: zones[0].camera_id: there is no camera 'gat'; did you mean 'gate'?"),
        (HEAD + TWO_CAMERAS + ZONE.replace("camera_id: gate", "camera_id: yard"),
         "7: zones[0].camera_id: there is no camera 'yard'; known are gate, press"),
        (HEAD + ZONE,
         "4: zones[0].camera_id: there is no camera 'gate'; this site has no camera"),
        (HEAD + CAMERA + ZONE + "rules:\n  - {id: r, kind: intrusion, name: R, zone_id: dor}\n",
         "8: rules[0].zone_id: there is no zone 'dor'; did you mean 'door'?"),
        (HEAD + CAMERA + ZONE + "rules:\n  - id: r\n    kind: intrusion\n    name: R\n"
         "    zone_id: door\n    channels:\n      - siren\n"
         "channels:\n  - {id: sirens, kind: recording, name: S}\n",
         "13: rules[0].channels[0]: there is no channel 'siren'; did you mean 'sirens'?"),
        (HEAD + CAMERA + ZONE + "rules:\n"
         "  - {id: r, kind: intrusion, name: R, zone_id: door, severity: dangr}\n",
         "8: rules[0].severity: must be info or warning or danger; did you mean 'danger'?"),
        (HEAD + "channels:\n  - {id: s, kind: mqtt_siren, name: S, host: h, topic: 'a/#'}\n",
         "4: channels[0].topic: a topic has no +, # or NUL in it"),
        (HEAD + "timezone: Asia/Seul\n",
         "3: timezone: 'Asia/Seul' is no time zone; did you mean 'Asia/Seoul'?"),
        (HEAD + "timezone: ../../etc/passwd\n",
         "3: timezone: '../../etc/passwd' is no time zone; give an IANA name such as Asia/Seoul"),
        (HEAD + "language: de\n", "3: language: must be ko or en"),
        ("version: 2\nname: Plant\n", "1: version: must be 1"),
        ("version: 1\n", "1: name: is missing; add it (What people call the site)"),
        ("", "1: is empty; begin with 'version: 1' and 'name: …'"),
        ("# nothing but a comment\n", "1: is empty; begin with 'version: 1' and 'name: …'"),
        ("just text\n", "1: is no mapping; begin with 'version: 1' and 'name: …'"),
        ("- version: 1\n", "1: is no mapping; begin with 'version: 1' and 'name: …'"),
        ("version: 1\nname:\n\t- x\n", "3: not YAML: a tab character; indent with spaces"),
        ("version: 1\nname: [x\n", "3: not YAML: while parsing a flow sequence"),
        ("version: 1\nname: 'x\n", "3: not YAML: while scanning a quoted scalar"),
        ("version: 1\n name: x\n", "2: not YAML: mapping values are not allowed here"),
        ("version: 1\n---\nname: x\n", "2: not YAML: a second document begins here (---)"),
        ("version: 1\nname: \x07\n", "2: the character U+0007 is not allowed in YAML; remove it"),
        ("version: 1\nname: &a Plant\n", "2: anchors and aliases (& and *) are not used here"),
        ("version: 1\nname: !!python/object/apply:os.system [id]\n",
         "2: tags such as tag:yaml.org,2002:python/object/apply:os.system are not used here"),
        ("version: 1\nname: " + "[" * 200_000, "2: nested too deeply"),
        (HEAD + "1: x\n", "3: every key must be text"),
        (HEAD + "? [a, b]\n: x\n", "3: every key must be text"),
        ("x" * (yaml_text.MAX_BYTES + 1), "1: is larger than 512 KiB"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_line_and_what_to_do(text: str, problem: str) -> None:
    (found,) = _problems(text)
    assert found.startswith(f"site.yaml:{problem}")
    assert "hunter2" not in found


def test_a_kind_of_rule_that_is_none_is_answered_with_the_nearest() -> None:
    rule = "rules:\n  - {id: r, kind: intrussion, name: R, zone_id: door}\n"
    (found,) = _problems(HEAD + CAMERA + ZONE + rule)
    assert found.startswith("site.yaml:8: rules[0].kind: must be intrusion or dwell or ")
    assert found.endswith("; did you mean 'intrusion'?")


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_lines() -> None:
    text = (
        "version: 1\n"
        "nam: Plant\n"
        "cameras:\n"
        "  - {id: gate, name: Gate, source: {kind: synthetic}, max_fps: -1}\n"
        "  - {id: gate, name: Gate, source: {kind: synthetic}}\n"
        "zones:\n"
        "  - {id: door, name: D, camera_id: gaet, polygon: [[0, 0], [1, 1]]}\n"
        "rules:\n"
        "  - {id: r, name: R, kind: dwell, zone_id: door}\n"
        "  - {id: r, name: R, kind: dwell, zone_id: door, limit_s: 5, limit_s: 6}\n"
    )
    with pytest.raises(SiteError) as caught:
        parse_site(text, source="plant.yaml")
    places = [(problem.line, problem.place) for problem in caught.value.problems]
    assert places == [
        (1, "name"),
        (2, "nam"),
        (4, "cameras[0].max_fps"),
        (5, "cameras[1].id"),
        (7, "zones[0].polygon"),
        (7, "zones[0].camera_id"),
        (9, "rules[0].limit_s"),
        (10, "rules[1].limit_s"),
        (10, "rules[1].id"),
    ]
    assert isinstance(caught.value, ConfigError)
    assert all(line.startswith("plant.yaml:") for line in str(caught.value).splitlines())


def test_an_alias_bomb_is_refused_before_anything_is_built() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    (found,) = _problems(bomb)
    assert "anchors and aliases" in found


SECRETS = (
    HEAD
    + "channels:\n"
    + "  - {id: s, kind: mqtt_siren, name: S, host: h, topic: a/b, password: env:ANJEON_TEST_PW}\n"
    + "  - id: w\n    kind: webhook\n    name: W\n    url: https://hook.example/x\n"
    + "    secret: file:{path}\n"
)


def test_missing_secrets_are_only_looked_for_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    text = SECRETS.replace("{path}", str(secret))
    monkeypatch.delenv("ANJEON_TEST_PW", raising=False)
    parse_site(text)
    with pytest.raises(SiteError) as caught:
        parse_site(text, check_secrets=True)
    assert [(problem.line, problem.place) for problem in caught.value.problems] == [
        (4, "channels[0].password"),
        (9, "channels[1].secret"),
    ]
    assert "env:ANJEON_TEST_PW is empty or missing; set it" in str(caught.value)
    monkeypatch.setenv("ANJEON_TEST_PW", "x")
    secret.write_text("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")
    assert len(parse_site(text, check_secrets=True).channels) == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "site.yaml:1: cannot be read: no such file or directory"),
        (b"version: 1\nname: \xb0\xf8\xc0\xe5\n", "site.yaml:2: is not UTF-8 text"),
        (b"# " + b"x" * yaml_text.MAX_BYTES, "site.yaml:1: is larger than 512 KiB"),
    ],
)
def test_files_that_are_no_text_are_refused(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / "site.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SiteError) as caught:
        read_site(path)
    assert str(caught.value).startswith(problem)


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + "version: 1\r\nname: 제1공장\r\n".encode())
    assert read_site(path).name == "제1공장"
