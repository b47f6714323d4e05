"""From an alert to a corrective action in a real browser, on a phone and in Korean."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np

from tests.support.browser import PHONE, Visitor
from tests.support.factory import Factory
from tests.support.web import Site

Visit = Callable[..., Visitor]


def test_a_near_miss_is_followed_from_the_alert_to_its_verified_action(
    site: Site, factory: Factory, visitor: Visit, tmp_path: Path
) -> None:
    alert = factory.intrude(site.clock.now().shifted(-60), lasts_s=2)
    manager = visitor(size=PHONE)
    manager.sign_in("manager")
    page = manager.open(f"/alerts/{alert}")
    page.click(f"a[href='/incidents/new?alert={alert}']")
    page.fill("#title", "프레스에 손이 들어감")
    page.select_option("#frequency", "2")
    page.select_option("#severity", "3")
    page.fill("#people_worker", "1")
    page.click("form.card button.primary")
    page.wait_for_selector(".steps li[aria-current]:has-text('접수')")
    assert page.locator(".level-high").count() == 1
    page.click("button[value=investigating]")
    page.wait_for_selector(".steps li[aria-current]:has-text('조사 중')")
    # Causes by keyboard alone.
    for answer in ("덮개가 열려 있었다", "점검표에 없었다"):
        page.focus("#cause-text")
        page.keyboard.type(answer)
        page.keyboard.press("Enter")
        page.wait_for_selector(f".whys li:has-text('{answer}')")
    assert page.locator(".whys .depth-1").count() == 1
    page.fill("#action-text", "광전자식 방호장치 설치")
    page.select_option("#control", "engineering")
    page.fill("#owner", "설비팀장")
    page.fill("#due_on", (site.now + timedelta(days=9)).date().isoformat())
    page.click("form[action$='/actions'] button.primary")
    page.wait_for_selector(".action")
    page.click("button[value=actions]")
    page.wait_for_selector(".steps li[aria-current]:has-text('개선 조치 중')")
    page.click(".action summary")
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(cv2.imencode(".jpg", np.full((90, 120, 3), 90, np.uint8))[1].tobytes())
    page.set_input_files(".action input[type=file]", photo)
    page.click(".action button[value=done]")
    page.wait_for_selector(".action img.proof")
    manager.wait_until("document.querySelector('img.proof').naturalWidth === 120")
    page.click(".action summary")
    page.fill(".action input[name=note]", "현장에서 확인")
    page.click(".action button[value=verified]")
    page.wait_for_selector(".action .tag:has-text('확인함')")
    assert not manager.is_scrolled_sideways()
    page = manager.open("/incidents")
    assert page.locator(".ticket:has-text('프레스에 손이 들어감')").count() == 1
    assert not manager.is_scrolled_sideways()
    assert manager.complaints == []
