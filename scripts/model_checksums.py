"""Writes ``safety/models/checksums.json`` anew; run it after every change of a network there.

Usage: .venv/bin/python scripts/model_checksums.py
"""

from safety.perception.bundle import FOLDER, write_list

write_list(FOLDER, licence="AGPL-3.0-or-later")
print(f"written: {FOLDER / 'checksums.json'}")
