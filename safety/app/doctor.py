"""``anjeon doctor``: tries every part for real and says what to mend."""

import asyncio
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import typer

from alerts.channels.base import Messenger, Notice, Siren
from alerts.open import AnyChannelSpec, is_messenger, is_siren, open_channel
from cameras.probe import probe
from cameras.specs import CameraSpec
from safety.app.doctor_feeds import hear_feeds
from safety.app.doctor_networks import people_network, ppe_network
from safety.clock import Clock, SystemClock
from safety.config import Settings
from safety.errors import AnjeonError, ModelError
from safety.perception.models import find_ppe_model
from safety.site.apply import export_site
from safety.site.spec import SiteSpec
from safety.store.database import Database

CAMERA_TIMEOUT_S = 10.0
CHANNEL_TIMEOUT_S = 5.0
FREE_BYTES_WANTED = 5 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found.

    Attributes:
        what: The part, e.g. ``"camera gate-1"``.
        ok: Whether it works.
        said: What was measured, or what is wrong and how to mend it.
    """

    what: str
    ok: bool
    said: str


def run_doctor(settings: Settings) -> bool:
    """Check everything and print a line for each part; whether all of them work."""
    clock = SystemClock()
    well = True
    site: SiteSpec | None = None

    def tell(findings: Iterable[Finding]) -> None:
        nonlocal well
        for finding in findings:
            well &= finding.ok
            mark, colour = ("ok  ", "green") if finding.ok else ("FAIL", "red")
            typer.secho(f"{mark}  {finding.what}: {finding.said}", fg=colour)

    def database() -> str:
        nonlocal site
        record = Database(settings.database)
        record.migrate()
        record.ping()
        site = export_site(record)
        return record.description

    tell([_checked("disk", lambda: _disk(settings))])
    tell([_checked("database", database)])
    tell([_checked("network", lambda: people_network(settings, clock))])
    if _needs_ppe(settings, site):
        tell([_checked("protective equipment", lambda: ppe_network(settings, clock))])
    if site is not None:
        if not site.cameras:
            typer.echo("      no cameras yet: apply a site file, or add them on the page")
        tell(_cameras(site.cameras, clock))
        tell(_feeds(settings, site, clock))
        tell(asyncio.run(_channels(settings, site.channels, clock)))
    return well


def _checked(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, ok=True, said=check())
    except AnjeonError as error:
        return Finding(what=what, ok=False, said=str(error))


def _disk(settings: Settings) -> str:
    settings.make_data_dir()
    free = shutil.disk_usage(settings.data_dir).free
    place = settings.data_dir.resolve()
    if free < FREE_BYTES_WANTED:
        raise AnjeonError(
            "doctor.disk",
            "only {free:.1f} GiB are free in {place}; free some, or set ANJEON_DATA_DIR",
            free=free / 1024**3,
            place=str(place),
        )
    return f"{free / 1024**3:.1f} GiB free in {place}"


def _needs_ppe(settings: Settings, site: SiteSpec | None) -> bool:
    """Whether somebody would miss the network for protective equipment, or it is there anyway."""
    rules = () if site is None else site.rules
    if settings.ppe_model or any(rule.kind == "missing_ppe" and rule.enabled for rule in rules):
        return True
    try:
        find_ppe_model(settings)
    except ModelError:
        return False
    return True


def _cameras(cameras: tuple[CameraSpec, ...], clock: Clock) -> list[Finding]:
    def check(camera: CameraSpec) -> Finding:
        def decode() -> str:
            seen = probe(camera.source, clock=clock, timeout_s=CAMERA_TIMEOUT_S)
            return f"{seen.codec} {seen.width_px}x{seen.height_px} {seen.fps or 0:.0f} fps"

        return _checked(f"camera {camera.id}", decode)

    enabled = [camera for camera in cameras if camera.enabled]
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(check, enabled))


def _feeds(settings: Settings, site: SiteSpec, clock: Clock) -> list[Finding]:
    heard = asyncio.run(hear_feeds(settings, site.plant, clock))
    return [
        Finding(what=f"feed {name}", ok=not isinstance(said, AnjeonError), said=str(said))
        for name, said in heard
    ]


async def _channels(
    settings: Settings, specs: tuple[AnyChannelSpec, ...], clock: Clock
) -> list[Finding]:
    enabled = [spec for spec in specs if spec.enabled]
    return list(await asyncio.gather(*(_channel(settings, spec, clock) for spec in enabled)))


async def _channel(settings: Settings, spec: AnyChannelSpec, clock: Clock) -> Finding:
    what = f"channel {spec.id}"
    try:
        channel = open_channel(spec, clock=clock, data_dir=settings.data_dir)
        try:
            return Finding(what=what, ok=True, said=await _ask(channel, clock))
        finally:
            await channel.close()
    except AnjeonError as error:
        return Finding(what=what, ok=False, said=str(error))


async def _ask(channel: Siren | Messenger, clock: Clock) -> str:
    if is_siren(channel):
        receipt = await channel.check()
        return f"reached in {receipt.latency_s * 1000:.0f} ms"
    assert is_messenger(channel)
    notice = Notice(
        id=f"doctor-{clock.now().wall:.0f}",
        event="test",
        alert_id="test",
        severity="info",
        raised_at=clock.now().wall,
        text="Anjeon: test / 시험 알림입니다.",
    )
    receipt = await channel.send(notice, timeout_s=CHANNEL_TIMEOUT_S)
    return f"delivered a test notice in {receipt.latency_s * 1000:.0f} ms"
