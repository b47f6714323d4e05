"""Identity scores on sequences small enough to work out by hand."""

import numpy as np
import pytest

from safety.scoring.identity import Step, score_identities


def steps(*frames: tuple[list[int], list[int]]) -> list[Step]:
    """People and tracks of every frame; the n-th track lies exactly on the n-th person."""
    return [
        Step(
            people=np.array(people, np.int64),
            tracks=np.array(tracks, np.int64),
            overlaps=np.eye(len(people), len(tracks)),
        )
        for people, tracks in frames
    ]


@pytest.mark.parametrize(
    ("sequence", "idf1", "hota"),
    [
        pytest.param(steps(*[([1], [7])] * 10), 1.0, 1.0, id="one person, one identity"),
        pytest.param(steps(*[([1], [])] * 10), 0.0, 0.0, id="never found"),
        pytest.param(steps(*[([], [7])] * 10), 0.0, 0.0, id="found where nobody is"),
        pytest.param(steps(*[([], [])] * 10), 1.0, 1.0, id="nothing there, nothing found"),
        # Half the boxes belong to the better identity; every pair shares 5 of its 10 frames.
        pytest.param(
            steps(*[([1], [7])] * 5, *[([1], [8])] * 5), 0.5, 0.5**0.5, id="identity lost halfway"
        ),
        # Both are found all the time; each keeps its identity for half of it.
        pytest.param(
            steps(*[([1, 2], [7, 8])] * 5, *[([1, 2], [8, 7])] * 5),
            0.5,
            (1 / 3) ** 0.5,
            id="two people swapped halfway",
        ),
    ],
)
def test_scores(sequence: list[Step], idf1: float, hota: float) -> None:
    score = score_identities(sequence)
    assert score.idf1 == pytest.approx(idf1)
    assert score.hota == pytest.approx(hota)
