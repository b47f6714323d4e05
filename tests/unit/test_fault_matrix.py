"""The table of what faults cost adds up what the tests say."""

import pytest

from tests.support.fault_matrix import Cost, percentile, table


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([3.0], 0.99, 3.0), ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0), (list(range(1, 201)), 0.99, 198)],
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_the_same_fault_is_one_line_and_areas_are_in_order() -> None:
    killed = Cost(
        area="Shard", fault="killed", how="-9", alerts=2, waits_s=[0.2, 3.0], covered=True
    )
    again = Cost(area="Shard", fault="killed", how="-9", alerts=1, lost=1, siren_s=[0.02, 0.03])
    blind = Cost(area="Camera", fault="frozen", how="a picture", covered=False, sounded=True)
    page = table([killed, again, blind], when="today", where="here")
    assert "2 faults, 3 alerts, 1 lost" in page
    assert page.strip().splitlines()[-2:] == [
        "| Camera: frozen | a picture | – | – | – | **false** | sounded |",
        "| Shard: killed | -9 | 3 | 1 | 1 (3.0 s) | true | 30 ms of 2 |",
    ]
