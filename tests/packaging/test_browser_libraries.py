"""The browser libraries: pinned, checked, from no private host, and served with licences."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
PACKAGES = {name: entry for name, entry in LOCK["packages"].items() if name}
VENDOR = ROOT / "dashboard" / "static" / "vendor"
FONTS = ROOT / "safety" / "reports" / "fonts"


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_is_pinned_by_its_hash(name: str) -> None:
    entry = PACKAGES[name]
    assert re.fullmatch(r"sha512-[A-Za-z0-9+/=]{88}", entry["integrity"])
    assert entry.get("resolved", "https://registry.npmjs.org/").startswith(
        "https://registry.npmjs.org/"
    )


def test_the_lock_file_agrees_with_what_is_asked_for() -> None:
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert {f"node_modules/{name}": version for name, version in wanted.items()} == {
        name: entry["version"] for name, entry in PACKAGES.items()
    }


def test_the_build_hook_has_put_everything_into_place() -> None:
    assert (VENDOR / ".stamp").is_file(), "build or install the project once: uv pip install -e ."
    sheet = (VENDOR / "pretendard" / "pretendardvariable-dynamic-subset.css").read_text("utf-8")
    fonts = re.findall(r"url\(\./(\S+?\.woff2)\)", sheet)
    assert len(fonts) > 80
    assert all((VENDOR / "pretendard" / font).is_file() for font in fonts)
    for name in ("htmx.min.js", "htmx.LICENSE.txt", "pretendard/LICENSE.txt"):
        assert (VENDOR / name).stat().st_size > 500
    for name in ("Pretendard-Regular.otf", "Pretendard-Bold.otf", "LICENSE.txt"):
        assert (FONTS / name).stat().st_size > 500
