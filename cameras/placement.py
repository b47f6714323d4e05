"""Which camera runs in which shard."""

import re
from collections.abc import Iterable, Mapping

_NAME = re.compile(r"shard-(\d+)")


def place(cameras: Iterable[str], former: Mapping[str, str], *, per_shard: int) -> dict[str, str]:
    """Give every camera a shard; a camera that has one keeps it.

    New cameras fill the shards that have room, lowest number first, then new shards: a shard
    costs a process and a copy of the network, so there are as few as possible. Only a limit
    that was lowered moves cameras, and then the last ones of a shard that is too full.

    Args:
        cameras: Camera ids in the site's order.
        former: Shard by camera id, as returned the last time; may name other cameras.
        per_shard: Cameras per shard at the most.

    Returns:
        Shard by camera id, in the order of ``cameras``.
    """
    placed: dict[str, str] = {}
    load: dict[str, int] = {}
    ordered = list(cameras)
    for camera in ordered:
        shard = former.get(camera)
        if shard is not None and load.get(shard, 0) < per_shard:
            placed[camera] = shard
            load[shard] = load.get(shard, 0) + 1
    for camera in ordered:
        if camera not in placed:
            shard = _with_room(load, per_shard)
            placed[camera] = shard
            load[shard] = load.get(shard, 0) + 1
    return {camera: placed[camera] for camera in ordered}


def _with_room(load: Mapping[str, int], per_shard: int) -> str:
    roomy = [shard for shard, count in load.items() if count < per_shard]
    if roomy:
        return min(roomy, key=_number)
    number = 0
    while f"shard-{number}" in load:
        number += 1
    return f"shard-{number}"


def _number(shard: str) -> tuple[int, str]:
    match = _NAME.fullmatch(shard)
    return (int(match[1]) if match else 1_000_000, shard)
