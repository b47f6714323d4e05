"""Cameras are spread over shards without moving those that run."""

from hypothesis import given
from hypothesis import strategies as st

from cameras.placement import place

IDS = st.lists(st.sampled_from([f"cam-{n}" for n in range(40)]), unique=True)


def test_fills_one_shard_before_the_next() -> None:
    assert place(["a", "b", "c"], {}, per_shard=2) == {
        "a": "shard-0",
        "b": "shard-0",
        "c": "shard-1",
    }


def test_a_new_camera_moves_no_other() -> None:
    former = place(["a", "b", "c"], {}, per_shard=2)
    now = place(["new", "a", "b", "c"], former, per_shard=2)
    assert {camera: now[camera] for camera in "abc"} == former
    assert now["new"] == "shard-1"


def test_a_gap_is_filled_before_a_shard_is_added() -> None:
    former = {"a": "shard-0", "b": "shard-1", "c": "shard-1"}
    assert place(["b", "c", "d"], former, per_shard=2)["d"] == "shard-0"


@given(first=IDS, second=IDS, per_shard=st.integers(1, 16))
def test_no_shard_is_too_full_and_nobody_moves(
    first: list[str], second: list[str], per_shard: int
) -> None:
    before = place(first, {}, per_shard=per_shard)
    after = place(second, before, per_shard=per_shard)
    assert list(after) == second
    assert all(after[camera] == before[camera] for camera in set(first) & set(second))
    shards = list(after.values())
    assert all(shards.count(shard) <= per_shard for shard in shards)
