"""YAML without surprises, and sites that are written and read back."""

import math
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.channels.mqtt import MqttSirenSpec
from alerts.channels.recording import RecordingSpec
from alerts.channels.webhook import WebhookSpec
from cameras.specs import CameraSpec, FileSpec, RtspSpec, SyntheticSpec
from safety.site import yaml_text
from safety.site.document import parse_site, write_site
from safety.site.spec import SiteSpec
from safety.types import Severity
from zones.rules.dwell import DwellSpec
from zones.rules.intrusion import IntrusionSpec
from zones.specs import ZoneSpec


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("22:30", "22:30"),
        ("2026-01-05", "2026-01-05"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("=", "="),
        ("<<", "<<"),
        (".nan", ".nan"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("010", 10),
        ("0o10", 8),
        ("0xff", 255),
        ("-3", -3),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-0.25", -0.25),
        ("'1'", "1"),
        ('"true"', "true"),
    ],
)
def test_plain_words_mean_what_they_look_like(text: str, value: object) -> None:
    document = yaml_text.parse(f"key: {text}\n")
    assert document.flaws == []
    assert document.data == {"key": value}
    assert type(document.data["key"]) is type(value)


# No property here is about time: a busy machine must not fail it.
unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        "no",
        "1e3",
        "0o17",
        "22:30",
        "- x",
        "# x",
        "null",
        "~",
        ": x",
        "\ufeff",
        "\x85",
        "a\u2028b",
        "a\nb",
        " x ",
        "'",
    ]
)
SCALARS = TEXTS | st.integers(-(10**12), 10**12) | st.booleans() | st.none()
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
DATA = st.recursive(
    SCALARS | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@unhurried
@given(st.dictionaries(TEXTS, DATA, max_size=5))
def test_whatever_is_written_is_read_back(data: dict[str, Any]) -> None:
    written = yaml_text.write(data, flow=lambda items: all(not isinstance(i, dict) for i in items))
    document = yaml_text.parse(written)
    assert document.flaws == []
    assert document.data == data


@unhurried
@given(st.text(max_size=200))
def test_no_text_whatsoever_breaks_the_reader(text: str) -> None:
    document = yaml_text.parse(text)
    assert all(flaw.line >= 1 and flaw.message for flaw in document.flaws)


SLUGS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,10}", fullmatch=True)
LABELS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: text.strip() != ""
)
SECONDS = st.floats(0, 60).map(lambda value: round(value, 3))
SECRETS = st.sampled_from(["env:A_B", "file:/run/secrets/x"])
SOURCES = st.one_of(
    st.builds(
        RtspSpec,
        url=st.just("rtsp://10.0.0.2:554/a?b=1#c"),
        username=st.none() | LABELS,
        password=st.none() | SECRETS,
    ),
    st.builds(
        FileSpec, path=st.sampled_from(["/clips/a b.mp4", "./no", "1.5"]), loop=st.booleans()
    ),
    st.builds(SyntheticSpec, fps=st.floats(1, 60)),
)
CHANNELS = st.one_of(
    st.builds(RecordingSpec, id=SLUGS, name=LABELS),
    st.builds(
        MqttSirenSpec,
        id=SLUGS,
        name=LABELS,
        host=st.just("mqtt"),
        topic=st.just("a/b"),
        tls=st.booleans(),
    ),
    st.builds(
        WebhookSpec, id=SLUGS, name=LABELS, url=st.just("https://hook.example/"), secret=SECRETS
    ),
)
TRIANGLES = st.sampled_from(
    [((0, 0), (1, 0), (1, 1)), ((0.1, 0.2), (0.30000000000000004, 1), (1, 1))]
)


@st.composite
def sites(draw: st.DrawFn) -> SiteSpec:
    """Any site that is valid."""
    cameras = draw(
        st.lists(
            st.builds(
                CameraSpec,
                id=SLUGS,
                name=LABELS,
                enabled=st.booleans(),
                source=SOURCES,
                network_width=st.sampled_from([640, 960, 1280]),
                evidence_before_s=SECONDS,
            ),
            max_size=3,
            unique_by=lambda camera: camera.id,
        )
    )
    channels = draw(st.lists(CHANNELS, max_size=3, unique_by=lambda channel: channel.id))
    zones = [
        ZoneSpec(id=f"zone-{n}", name=draw(LABELS), camera_id=camera.id, polygon=draw(TRIANGLES))
        for n, camera in enumerate(cameras)
    ]
    told = st.none() | st.lists(st.sampled_from([c.id for c in channels] or [""]), max_size=2)
    rules = [
        draw(
            st.builds(
                IntrusionSpec,
                id=st.just(f"rule-{zone.id}"),
                name=LABELS,
                zone_id=st.just(zone.id),
                severity=st.sampled_from(list(Severity)),
                channels=told.map(lambda ids: None if ids is None or not channels else tuple(ids)),
            )
            | st.builds(
                DwellSpec,
                id=st.just(f"rule-{zone.id}"),
                name=LABELS,
                zone_id=st.just(zone.id),
                limit_s=st.floats(0.5, 60),
                hold_to_open_s=SECONDS,
            )
        )
        for zone in zones
    ]
    return SiteSpec.model_validate(
        {
            "name": draw(LABELS),
            "timezone": draw(st.sampled_from(["Asia/Seoul", "UTC", "America/Argentina/Ushuaia"])),
            "language": draw(st.sampled_from(["ko", "en"])),
            "cameras": cameras,
            "zones": zones,
            "rules": rules,
            "channels": channels,
        }
    )


@unhurried
@given(sites())
def test_every_site_survives_being_written_and_read(site: SiteSpec) -> None:
    written = write_site(site)
    assert parse_site(written) == site
    assert write_site(parse_site(written)) == written


@unhurried
@given(sites())
def test_other_yaml_readers_see_the_same_site(site: SiteSpec) -> None:
    assert SiteSpec.model_validate(yaml.safe_load(write_site(site))) == site


def test_what_is_written_is_short_and_in_order() -> None:
    site = SiteSpec(
        name="제1공장",
        cameras=(CameraSpec(id="gate", name="정문", source=SyntheticSpec()),),
        zones=(
            ZoneSpec(
                id="door", name="on", camera_id="gate", polygon=((0.1, 0.1), (0.5, 0.1), (0.5, 0.9))
            ),
        ),
        rules=(IntrusionSpec(id="r", name="R", zone_id="door", channels=()),),
    )
    assert write_site(site) == (
        "# A site of Anjeon. Check it with: anjeon site check FILE\n"
        "version: 1\n"
        "name: 제1공장\n"
        "cameras:\n"
        "- id: gate\n"
        "  name: 정문\n"
        "  source:\n"
        "    kind: synthetic\n"
        "zones:\n"
        "- id: door\n"
        "  name: 'on'\n"
        "  camera_id: gate\n"
        "  polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.9]]\n"
        "rules:\n"
        "- id: r\n"
        "  kind: intrusion\n"
        "  name: R\n"
        "  channels: []\n"
        "  zone_id: door\n"
    )


def test_numbers_keep_their_last_digit() -> None:
    written = yaml_text.write({"x": [0.1 + 0.2, 1e-9, 1e22, math.pi]}, flow=lambda _: True)
    assert yaml_text.parse(written).data == {"x": [0.1 + 0.2, 1e-9, 1e22, math.pi]}
