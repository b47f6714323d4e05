"""The programme office: what is read, what is refused, and what is said of the sites."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safety.errors import AnjeonError
from safety.kpi.verdict import Verdict
from safety.programme.assess import Need, assess, funnel_limits
from safety.programme.collect import collect, read_registry
from safety.programme.sources import on_disk
from safety.reports.signing import canonical, opened, public_text, signed, site_key
from tests.support.reports import hand_in, ppe_facts_of, report_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def test_the_same_report_is_the_same_bytes_and_its_signature_holds() -> None:
    content = signed(report_of(1), KEY)
    assert content == signed(report_of(1), KEY)
    report, key = opened(content, name="x.json")
    assert report["site"]["name"] == "Site 1"
    assert key == public_text(KEY)


def _changed(content: bytes) -> bytes:
    return content.replace(b'"cases":5', b'"cases":9')


def _newer(_: bytes) -> bytes:
    report = report_of(1).model_dump(mode="json", by_alias=True) | {"schema_version": "2.0"}
    return _signed_document(report)


def _with_more(_: bytes) -> bytes:
    report = report_of(1).model_dump(mode="json", by_alias=True) | {"salary": 1}
    return _signed_document(report)


def _signed_document(report: dict[str, object]) -> bytes:
    content = json.loads(signed(report_of(1), KEY))
    import base64

    value = base64.urlsafe_b64encode(KEY.sign(canonical(report))).rstrip(b"=").decode()
    content["report"], content["signature"]["value"] = report, value
    return canonical(content)


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (_changed, "report.changed"),
        (_newer, "programme.newer"),
        (_with_more, "programme.schema"),
        (lambda content: content[:-20], "report.unsigned"),
        (lambda _: b"", "report.unsigned"),
        (lambda _: b"[1, 2]", "report.unsigned"),
        (lambda _: b"\xff\xfe\x00", "report.unsigned"),
        (lambda _: b'{"report": {"a": NaN}, "signature": {}}', "report.unsigned"),
        (lambda _: b"[" * 100_000, "report.unsigned"),
        (lambda _: b" " * 10_000_001, "programme.too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_used_is_listed_and_the_others_count(
    tmp_path: Path, spoil: Callable[[bytes], bytes], key: str
) -> None:
    good = hand_in(tmp_path, report_of(2), KEY)
    bad = tmp_path / "bad.json"
    bad.write_bytes(spoil(signed(report_of(1), KEY)))
    found = collect(on_disk([good, bad]))
    assert [(p.file, p.error.key) for p in found.problems] == [("bad.json", key)]
    assert [one.name for one in found.standings.values()] == ["Site 2"]


def test_a_report_of_a_later_minor_version_counts_for_what_is_known(tmp_path: Path) -> None:
    later = report_of(1).model_dump(mode="json", by_alias=True)
    later |= {"schema_version": "1.99", "weather": {"rain": 3}}
    (tmp_path / "later.json").write_bytes(_signed_document(later))
    found = collect(on_disk(tmp_path.iterdir()))
    assert [one.name for one in found.standings.values()] == ["Site 1"]


def test_protective_equipment_is_pooled_with_sites_as_the_unit(tmp_path: Path) -> None:
    for number in range(1, 9):
        worn = 40.0 + 5 * number
        ppe = ppe_facts_of("hardhat", worn=worn, missing=100 - worn)
        hand_in(tmp_path, report_of(number, ppe=ppe), KEY)
    hand_in(tmp_path, report_of(9), KEY)
    (worn_by_all,) = assess(collect(on_disk(tmp_path.iterdir()))).worn
    assert (worn_by_all.item, worn_by_all.sites) == ("hardhat", 8)
    assert worn_by_all.share == pytest.approx(0.625)
    assert worn_by_all.unknown_share == pytest.approx(12.5 / 112.5)
    assert worn_by_all.lower == pytest.approx(0.62 - 0.1, abs=0.04)
    assert worn_by_all.upper == pytest.approx(0.62 + 0.1, abs=0.04)


def test_the_newest_revision_of_the_newest_month_counts(tmp_path: Path) -> None:
    for month, revision, cases in (("2026-10", 3, 1), ("2026-11", 2, 7), ("2026-11", 1, 4)):
        hand_in(tmp_path, report_of(1, month=month, revision=revision, after=(cases, 1e5)), KEY)
    hand_in(tmp_path, report_of(1, month="2026-11", revision=2, after=(7, 1e5)), KEY, "copy")
    found = collect(on_disk(tmp_path.iterdir()))
    (standing,) = found.standings.values()
    assert standing.after is not None
    assert (standing.month, standing.revision, standing.after.cases) == ("2026-11", 2, 7)
    assert (found.duplicates, found.superseded, found.problems) == (1, 2, ())
    earlier = collect(on_disk(tmp_path.iterdir()), month="2026-10")
    assert [one.month for one in earlier.standings.values()] == ["2026-10"]


def test_two_unlike_reports_with_one_revision_leave_the_site_out(tmp_path: Path) -> None:
    hand_in(tmp_path, report_of(1, after=(1, 1e5)), KEY, "a")
    hand_in(tmp_path, report_of(1, after=(9, 1e5)), KEY, "b")
    found = collect(on_disk(tmp_path.iterdir()))
    assert [p.error.key for p in found.problems] == ["programme.two_versions"]
    assert found.standings == {}


def test_another_key_for_a_known_site_is_refused(tmp_path: Path) -> None:
    hand_in(tmp_path, report_of(1, month="2026-10"), KEY, "a")
    hand_in(tmp_path, report_of(1, month="2026-11"), OTHER, "b")
    hand_in(tmp_path, report_of(2), OTHER, "c")
    found = collect(on_disk(tmp_path.iterdir()))
    assert [p.error.key for p in found.problems] == ["programme.other_key"]
    site_1, site_2 = f"{1:032x}", f"{2:032x}"
    listed = collect(on_disk(tmp_path.iterdir()), registry={site_1: public_text(OTHER)})
    assert [p.error.key for p in listed.problems] == [
        "programme.other_key",
        "programme.unknown_site",
    ]
    assert set(listed.standings) == {site_1}
    assert set(found.standings) == {site_1, site_2}


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"site,key\n1\n", b"\xff\xfe"])
def test_a_list_of_sites_with_other_columns_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sites.csv"
    path.write_bytes(content)
    with pytest.raises(AnjeonError) as refused:
        read_registry(path)
    assert refused.value.key == "programme.registry"


def test_a_list_of_sites_from_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sites.csv"
    path.write_bytes(b"\xef\xbb\xbfsite,key\r\nab, xyz \r\n")
    assert read_registry(path) == {"ab": "xyz"}


def test_the_key_of_a_site_is_made_once_and_is_its_owners_only(tmp_path: Path) -> None:
    made = public_text(site_key(tmp_path))
    assert made == public_text(site_key(tmp_path))
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("spoilt", "utf-8")
    with pytest.raises(AnjeonError) as refused:
        site_key(tmp_path)
    assert refused.value.key == "report.key"


def test_whom_to_call_and_why(tmp_path: Path) -> None:
    for number in range(1, 21):
        hand_in(tmp_path, report_of(number), KEY)
    hand_in(tmp_path, report_of(30, after=(40, 200_000.0)), KEY)
    hand_in(tmp_path, report_of(31, monitored=100.0), KEY)
    hand_in(tmp_path, report_of(32, installed=0.0, monitored=0.0), KEY)
    hand_in(tmp_path, report_of(33, month="2026-10"), KEY)
    hand_in(tmp_path, report_of(34, before=None), KEY)
    hand_in(tmp_path, report_of(35, after=(0, 0.0)), KEY)
    hand_in(tmp_path, report_of(36, fictional=True), KEY)
    programme = assess(collect(on_disk(tmp_path.iterdir())))
    assert {call.name: call.needs for call in programme.calls} == {
        "Site 30": (Need.HIGH_RATE, Need.RISEN),
        "Site 31": (Need.LITTLE_COVERAGE,),
        "Site 32": (Need.NO_COVERAGE,),
        "Site 33": (Need.LATE_REPORT,),
        "Site 34": (Need.NO_COMPARISON,),
        "Site 35": (Need.NO_COMPARISON,),
    }
    assert (programme.month, programme.sites, programme.compared, programme.fictional) == (
        "2026-11",
        26,
        24,
        1,
    )
    assert [point.name for point in programme.funnel if point.outside] == ["Site 30"]
    assert programme.league[-1].name == "Site 32"
    assert programme.league[-1].share is None


def test_no_report_at_all_is_no_programme() -> None:
    programme = assess(collect([]))
    assert programme.month is None
    assert programme.pooled.verdict is Verdict.NOT_ENOUGH
    assert programme.rate is None


def test_chance_alone_leaves_one_site_in_500_outside_the_funnel() -> None:
    chance = np.random.default_rng(5)
    hours = chance.uniform(1e5, 1e7, 50_000)
    lower, upper = funnel_limits(10.0, hours)
    rates = chance.poisson(10.0 * hours / 1e6) / hours * 1e6
    assert np.mean((rates < lower) | (rates > upper)) <= 1 / 500
