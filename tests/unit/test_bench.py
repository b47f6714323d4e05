"""The parts of the benchmarks that a wrong figure could come from."""

from pathlib import Path

import av
import pytest

from tests.bench import __main__ as bench
from tests.bench.bench_latency import quantile
from tests.bench.films import CELL, kbit_per_s, paced

INFINITE = float("inf")


def test_a_paced_film_has_the_same_pictures_at_another_rate(tmp_path: Path) -> None:
    film = paced(CELL, 15, tmp_path)
    with av.open(CELL) as before, av.open(film) as after:
        ours, theirs = after.streams.video[0], before.streams.video[0]
        assert ours.average_rate == 15
        encoded = [bytes(p) for p in after.demux(ours) if p.size]
        assert encoded == [bytes(p) for p in before.demux(theirs) if p.size]
    assert kbit_per_s(film) == pytest.approx(1.5 * kbit_per_s(CELL), rel=0.01)


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ({0.1: 0, 0.2: 10, INFINITE: 10}, 0.5, 0.15),
        ({0.1: 5, 0.2: 10, INFINITE: 10}, 0.5, 0.1),
        ({0.1: 99, 0.2: 100, INFINITE: 100}, 0.99, 0.1),
        ({0.1: 0, 0.2: 4, INFINITE: 10}, 0.99, 0.2),
        ({0.1: 0, INFINITE: 0}, 0.5, 0.0),
    ],
)
def test_quantiles_of_a_histogram(
    counts: dict[float, float], share: float, expected: float
) -> None:
    assert quantile(counts, share) == pytest.approx(expected)


def test_an_unknown_benchmark_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        bench.main(["thruput"])
    assert "throughput" in capsys.readouterr().err
