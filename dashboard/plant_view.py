"""The plant's feeds and what they report, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cameras.messages import FeedInfo, PlantStatus
from dashboard.visit import Visit
from safety.i18n import LANGUAGES, catalogue, known_language
from safety.site.spec import SiteSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedView:
    """One feed.

    Attributes:
        known: The engine has said how it does.
        well: It is connected, and nothing is odd about it.
        detail: What is wrong or odd; else what it reports.
    """

    name: str
    kind: str
    known: bool
    well: bool
    detail: str


def read_feeds(visit: Visit, site: SiteSpec) -> Sequence[FeedView]:
    """Every enabled feed of the site, as the engine knows it now."""
    status = visit.hub.plant_status()
    told = {feed.feed_id: feed for feed in status.feeds} if status else {}
    names = {
        each.id: each.name
        for part in (site.plant.machines, site.plant.vehicles, site.plant.feeds)
        for each in part
    }
    views = []
    for spec in site.plant.feeds:
        feed = told.get(spec.id)
        if spec.enabled:
            views.append(
                FeedView(
                    name=spec.name,
                    kind=spec.kind,
                    known=feed is not None,
                    well=feed is not None and feed.connected and not feed.notices,
                    detail=_detail(visit, feed, names, status) if feed and status else "",
                )
            )
    return views


def _detail(visit: Visit, feed: FeedInfo, names: Mapping[str, str], status: PlantStatus) -> str:
    if feed.problem is not None:
        return _problem(visit, feed)
    odd = [
        visit.translate(
            f"feed.notice.{notice.key}",
            **{"subject": names.get(notice.subject, notice.subject), **notice.params},
        )
        for notice in feed.notices
    ]
    if odd:
        return " ".join(odd)
    states = [
        f"{names.get(machine.machine_id, machine.machine_id)}: "
        + visit.translate(f"machine.state.{machine.state}")
        for machine in status.machines
        if machine.feed_id == feed.feed_id
    ]
    maps = [
        visit.translate("feed.map_residual", map=map_id, metres=f"{metres:.2f}")
        for map_id, metres in feed.map_residuals_m.items()
    ]
    return " · ".join([*maps, *states][:8])


def _problem(visit: Visit, feed: FeedInfo) -> str:
    texts = catalogue(known_language(visit.language) or LANGUAGES[0])
    if feed.problem_key is None or feed.problem_key not in texts:
        return feed.problem or ""
    return visit.translate(feed.problem_key, **feed.problem_params)
