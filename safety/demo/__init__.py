"""The demo site: two rendered cameras of a fictional plant and a recording siren."""

from pathlib import Path

SITE = Path(__file__).parent / "site.yaml"
"""The site document; paths of films in it are relative to this directory."""
