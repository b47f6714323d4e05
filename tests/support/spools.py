"""What shards have on their disk."""

from pathlib import Path

from cameras.messages import MESSAGES, ViolationReport


def spooled(spool_dir: Path) -> set[str]:
    """Violations of which a report is in a spool; a last line that is cut off counts for none."""
    lines = [
        line for file in spool_dir.glob("*.jsonl") for line in file.read_bytes().split(b"\n")[:-1]
    ]
    messages = [MESSAGES.validate_json(line) for line in lines if line]
    return {each.violation.id for each in messages if isinstance(each, ViolationReport)}
