"""The hash that ties an entry of the audit trail to the one before it.

What is hashed must stay as it is for ever: all hashes on record were made this way.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

GENESIS: Final = "0" * 64
"""Stands for the entry before the first one."""


def entry_hash(
    previous: str,
    *,
    seq: int,
    entry_id: int,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
) -> str:
    """SHA-256, hexadecimal, over the entry and the hash of the entry before it.

    Args:
        previous: Hash of the entry before, ``GENESIS`` for the first.
        seq: Place in the chain, from 1 on, without gaps.
        entry_id: The row's primary key.
        at: Timezone-aware.
        detail: As JSON gives it back: keys are strings, sequences lists.
    """
    content = {
        "action": action,
        "actor": actor,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "detail": json.loads(json.dumps(detail)),
        "id": entry_id,
        "previous": previous,
        "seq": seq,
        "subject": subject,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(canonical.encode("ascii")).hexdigest()
