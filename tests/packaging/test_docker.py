"""The container files say what they must: pinned, not root, nothing missing, no secret inside."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from safety.config import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(
    (ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8")
)
IMAGES = [
    *re.findall(r"^FROM (\S+)", DOCKERFILE, re.M),
    *re.findall(r"--from=(\S+:\S+)", DOCKERFILE),
    *(s["image"] for s in COMPOSE["services"].values() if "build" not in s),
]


def test_everything_that_is_copied_exists() -> None:
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source


def test_all_of_our_packages_are_in_the_image() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.M))
    assert copied == {"safety", "cameras", "zones", "alerts", "dashboard"}


@pytest.mark.parametrize("image", IMAGES)
def test_images_are_pinned(image: str) -> None:
    name, _, tag = image.rpartition(":")
    assert name
    assert re.search(r"\d+\.\d+", tag), image


def test_it_does_not_run_as_root() -> None:
    stages = DOCKERFILE.split("\nFROM ")
    assert re.search(r"^USER (?!root\b)\w+", stages[-1], re.M)
    service = COMPOSE["services"]["anjeon"]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True


def test_the_settings_it_sets_exist() -> None:
    known = {f"ANJEON_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"\bANJEON_[A-Z_]+(?==)", DOCKERFILE))
    named |= set(COMPOSE["services"]["anjeon"]["environment"]) - {"TZ"}
    assert named
    assert named <= known


def test_no_password_has_a_default() -> None:
    text = (ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"\$\{POSTGRES_PASSWORD(.)", text) == [":", ":"]
    example = (ROOT / "docker" / ".env.example").read_text(encoding="utf-8")
    assert re.search(r"^POSTGRES_PASSWORD=$", example, re.M)


def test_the_services_it_depends_on_and_the_files_it_mounts_are_there() -> None:
    services = COMPOSE["services"]
    assert set(services["anjeon"]["depends_on"]) <= set(services)
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./") and "." in source[2:]:
                assert (ROOT / "docker" / source).exists(), source
            elif not source.startswith("./"):
                assert source in COMPOSE["volumes"], source
