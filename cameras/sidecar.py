"""What a clip was made from, as a JSON file beside it: rule, zone, networks, versions, hashes."""

import json
import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cameras.clip import Clip
from cameras.messages import Configure
from cameras.specs import CameraSpec
from safety import __version__
from safety.clock import Instant
from safety.config import Settings
from safety.errors import ModelError
from safety.perception.models import find_pose_model, find_ppe_model
from safety.types import Violation

FORMAT = 1
"""Goes up when a field changes its meaning."""

_CHUNK = 1 << 20


def origin_of(violation: Violation, configured: Configure | None) -> Mapping[str, Any]:
    """The configuration that a violation was found with, as JSON values."""
    if configured is None:
        return {}
    rule = next((each for each in configured.rules if each.id == violation.rule_id), None)
    zone = next((each for each in configured.zones if each.id == violation.zone_id), None)
    camera = next((each for each in configured.cameras if each.id == violation.camera_id), None)
    return {
        "config_revision": configured.revision,
        "rule": rule and rule.model_dump(mode="json"),
        "zone": zone and zone.model_dump(mode="json"),
        "camera": camera and camera_words(camera),
    }


def made_with(settings: Settings) -> Callable[[], Mapping[str, Any]]:
    """Version and networks of this installation; the files are read once, when first asked."""

    @cache
    def made() -> Mapping[str, Any]:
        networks = {}
        for name, find in (("pose", find_pose_model), ("ppe", find_ppe_model)):
            try:
                path = find(settings)
                networks[name] = {"file": path.name, "sha256": _sha256_of(path)}
            except (ModelError, OSError):
                continue
        return {
            "anjeon": __version__,
            "python": platform.python_version(),
            "networks": networks,
        }

    return made


def camera_words(spec: CameraSpec) -> Mapping[str, Any]:
    """What is said of a camera: never its address, for that may name users and hosts."""
    return {"id": spec.id, "name": spec.name}


def sidecar_of(
    violation: Violation,
    clip: Clip,
    *,
    camera: Mapping[str, Any],
    found_with: Mapping[str, Any],
    made_with: Mapping[str, Any],
) -> bytes:
    """The file's content: UTF-8, sorted keys, the same for the same input.

    Args:
        violation: What the clip shows.
        clip: As it is on disk, but for this.
        camera: Which one made the clip: one that saw the same place, or the one that found it.
        found_with: The configuration that the violation was found with.
        made_with: Versions and networks.
    """
    content = {
        "format": FORMAT,
        "violation": {
            "id": violation.id,
            "rule_id": violation.rule_id,
            "rule_revision": violation.rule_revision,
            "rule_kind": violation.rule_kind,
            "camera_id": violation.camera_id,
            "zone_id": violation.zone_id,
            "subject": violation.subject,
            "severity": violation.severity.value,
            "captured_at": _time(violation.captured_at),
            "opened_at": _time(violation.opened_at),
            "box": violation.box,
            "details": dict(violation.details),
        },
        "clip": {
            "file": clip.path.name,
            "sha256": clip.sha256,
            "size_bytes": clip.size_bytes,
            "started_at": _time(clip.started_at),
            "ended_at": _time(clip.ended_at),
            "camera": dict(camera),
        },
        "found_with": dict(found_with),
        "made_with": dict(made_with),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
    return f"{text}\n".encode()


def _time(moment: Instant) -> str:
    return datetime.fromtimestamp(moment.wall, UTC).isoformat(timespec="milliseconds")


def _sha256_of(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
