"""The office's page of messages, the school's month of SMS, one-time codes by SMS, and what eSMS calls us for."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select
from starlette.testclient import TestClient

from billing.errors import Refused
from notifications.sms_course import LOOKS
from notifications.sms_tables import SmsText
from service.channels import sms_news_key
from service.database import EVERYTHING
from service.jobs import texting
from service.pages.messages import read_number
from service.standins.zalo import ZaloRules
from tests.clean_databases import CleanDatabases
from tests.conftest import TestServers
from tests.service.pages.test_fee_pages import post
from tests.service.pages.towns import Town, open_town

PAGE = "/van-phong/tin-nhan"
FULL = "Trước khi trừ"  # stands in the full view only


@pytest.fixture(scope="module")
def whole_town(
    clean_databases: CleanDatabases, servers: TestServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """One town for the file; each test has a day of its own in it."""
    with open_town(clean_databases, servers, tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def town(whole_town: Town) -> Town:
    """The town on the next day, with a Zalo that works, and a school that pays for no SMS."""
    whole_town.world.clock.now += timedelta(days=1)
    whole_town.zalo.rules = ZaloRules()
    whole_town.zalo.delivered.clear()
    whole_town.esms.sent.clear()
    return whole_town


def reads(client: TestClient, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def state_of_texts(town: Town) -> list[str]:
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        return [row.state for row in session.exec(select(SmsText).order_by(col(SmsText.id))).all()]


def test_nobody_pays_at_first_and_only_the_approver_decides(town: Town) -> None:
    accountant, approver = (town.world.signed_in(town.world.staff(role)) for role in ("accountant", "approver"))
    assert "không dùng SMS" in reads(accountant)
    assert post(accountant, PAGE, moi_thang="500")[0] == 403
    assert "Đã lưu." in post(approver, PAGE, moi_thang="1.500")[1]
    assert "1500 tin" in reads(accountant)
    assert "không phải số tin" in html.unescape(post(approver, PAGE, moi_thang="nhiều")[1])
    assert post(approver, PAGE, moi_thang="")[0] == 200
    assert "không dùng SMS" in reads(accountant)
    assert town.audit("sms.set") == 2


def test_messages_are_listed_with_channel_state_code_and_the_months_cost(town: Town) -> None:
    accountant = town.world.signed_in(town.world.staff("accountant"))
    town.pay_for_sms(2)
    town.tell()
    page = reads(accountant)
    sent = len(town.esms.sent)
    assert sent == 2
    assert "nhà mạng đã nhận, chưa báo đến máy 100" in page
    assert "Zalo đã hết hạn mức trong ngày. -1472" in page
    assert "Đã dùng tháng này 2 tin, trong đó 0 mã xác nhận" in page
    assert "Đã hết số SMS của tháng" in page
    assert "Đã hết số SMS nhà trường trả cho tháng này. budget" in page
    town.world.clock.now += LOOKS[0]
    texting.look(town.world.collecting.wiring)
    page = reads(accountant)
    assert "đã đến máy" in page
    assert "1.700 đ (2 tin)" in page
    only = reads(accountant, f"{PAGE}?kenh=sms")
    assert "Zalo đã hết hạn mức" not in only
    assert "đã đến máy" in only


def test_a_code_comes_by_sms_when_zalo_has_no_such_phone(town: Town) -> None:
    town.pay_for_sms()
    town.zalo.rules = ZaloRules(without_zalo="")
    browser, link = town.visitor(), town.world.link()
    town.zalo.rules = ZaloRules(daily_quota=0)
    form = town.asks(browser)
    assert "Zalo hoặc SMS của số" in browser.reads(form)
    [sent] = town.esms.sent
    [code] = re.findall(r"ma ([0-9]{6}) ", sent.text)
    assert "http" not in sent.text
    browser.sends(form, form, ma=code)
    assert FULL in browser.reads(f"{link}/chi-tiet")
    accountant = town.world.signed_in(town.world.staff("accountant"))
    assert "trong đó 1 mã xác nhận" in reads(accountant)


def test_no_code_by_sms_where_the_school_does_not_pay(town: Town) -> None:
    town.pay_for_sms(0)
    browser, link = town.visitor(), town.world.link()
    answer = browser.sends(f"{link}/ma", f"{link}/chi-tiet", lien_lac=str(town.contacts()["phone"]))
    assert answer.status_code == 503
    assert "Chưa gửi được mã tới" in html.unescape(answer.text)
    assert town.esms.sent == []


def test_without_zalo_a_phone_is_offered_only_where_the_school_pays(town: Town) -> None:
    wiring = town.world.collecting.wiring
    settings = wiring.settings.model_copy(update={"zalo_app_id": None})
    town.world.collecting = replace(town.world.collecting, wiring=replace(wiring, settings=settings))
    try:
        link, phone = town.world.link(), f'value="{town.contacts()["phone"]}"'
        town.pay_for_sms(0)
        assert phone not in town.visitor().reads(f"{link}/chi-tiet")
        town.pay_for_sms(5)
        browser = town.visitor()
        assert phone in browser.reads(f"{link}/chi-tiet")
        town.asks(browser)
        assert len(town.esms.sent) == 1
    finally:
        town.world.collecting = replace(town.world.collecting, wiring=wiring)


def test_news_of_a_text_makes_us_ask_and_a_wrong_key_nothing(town: Town) -> None:
    with town.world.collecting.database.transaction(EVERYTHING) as session:
        session.execute(text("UPDATE sms_texts SET next_look_at = NULL"))
    town.pay_for_sms()
    town.asks(town.visitor())
    [sent] = town.esms.sent
    wiring, client = town.world.collecting.wiring, town.visitor().client
    told = {
        "SMSID": sent.sms_id,
        "SendStatus": "5",
        "SendSuccess": "0",
        "SendFailed": "1",
        "RequestId": sent.request_id,
    }
    town.world.rung.clear()
    for key, request in (("0" * 32, sent.request_id), (sms_news_key(wiring.settings), "x"), ("á", sent.request_id)):
        answer = client.get(f"/sms/tin-bao/{key}", params=told | {"RequestId": request})
        assert (answer.status_code, answer.text) == (200, "ok\n")
    assert town.world.rung == []
    assert texting.look(wiring) == 0
    assert client.get(f"/sms/tin-bao/{sms_news_key(wiring.settings)}", params=told).text == "ok\n"
    assert "notifications.look" in town.world.rung
    assert texting.look(wiring) == 1
    assert state_of_texts(town)[-1] == "delivered", "what the caller said of it is not believed"


@pytest.mark.parametrize(
    ("typed", "number"), [("", 0), (" 0 ", 0), ("500", 500), ("1.500", 1500), ("100.000", 100_000)]
)
def test_numbers_as_they_are_typed(typed: str, number: int) -> None:
    assert read_number(typed) == number


@pytest.mark.parametrize("typed", ["-1", "1,5", "1.5", "x", "1e3", "１２", "1234567"])
def test_what_is_no_number(typed: str) -> None:
    with pytest.raises(Refused):
        read_number(typed)
