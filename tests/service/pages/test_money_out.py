"""Money out and differences over the real web: classified by the accountant, summed for auditor and province, told."""

from __future__ import annotations

import dataclasses
import html
import re
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlmodel import select
from starlette.testclient import TestClient

from reconciliation.matching import Direction
from reconciliation.tables import Transfer
from service.pages import bank_reversal_rows
from service.settings import Settings
from service.web import build_app
from tests.reconciliation.statements.test_importing import bring, written
from tests.service.pages.worlds import World

PATH = "/van-phong/tien-ra"
COMPARED = "/van-phong/doi-chieu-nguon"
TOKEN = "mot-ma-rat-dai-de-doc-so-lieu-cua-nha"  # noqa: S105  invented


def send(client: TestClient, path: str, **fields: str | list[str]) -> int:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(PATH).text)
    assert found
    return client.post(path, data={"csrf": found[1], **fields}).status_code


def transfer_of(client: TestClient) -> str:
    found = re.search(rf'action="({PATH}/[0-9a-f-]{{36}})', client.get(PATH).text)
    assert found
    return found[1]


def test_from_an_unknown_payment_to_a_fee_and_back(world: World) -> None:
    bank = world.collecting
    bank.hear_of(bank.pays("Thu phi quan ly tai khoan", 11_000, direction=Direction.OUT))
    maker, auditor = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("auditor"))
    page = maker.get(PATH).text
    assert "Ngân hàng ghi là phí" in page
    assert "Thu phi quan ly" not in auditor.get(PATH).text, "the auditor sees sums"
    assert "11.000 đ" in auditor.get(PATH).text
    address = transfer_of(maker)
    assert send(maker, address) == 422, "nothing was chosen"
    assert send(maker, address, loai="fee", so_tien="12.000") == 422, "more than went out"
    assert send(maker, address, gan="khong:co") == 422
    assert send(maker, address, loai="fee", so_tien="11.000 đ") == 303
    page = maker.get(PATH).text
    assert "Mọi khoản tiền ra đều đã rõ" in page
    taken = re.search(rf'action="({PATH}/muc-dich/[0-9a-f-]{{36}}/huy)', page)
    assert taken
    assert send(maker, taken[1]) == 422, "without a reason"
    assert send(maker, taken[1], ly_do="ghi nhầm") == 303
    assert send(maker, taken[1], ly_do="ghi nhầm") == 409
    assert "Mọi khoản tiền ra đều đã rõ" not in maker.get(PATH).text


def test_a_difference_is_shown_and_told_to_the_program_with_the_token(world: World) -> None:
    bank = world.collecting
    missed = bank.pays("bao mat", 70_000)
    bank.hear_of(bank.pays("co bao", 50_000))
    bring(bank, written(bank))
    world.clock.now += timedelta(days=3)
    maker, province = (
        world.signed_in(world.staff("accountant")),
        world.signed_in(world.staff("province", authority_id=world.billing.school.province_id)),
    )
    page = maker.get(COMPARED).text
    assert "Có trên sao kê, không được báo" in page
    assert missed.memo in page
    assert "co bao" not in page
    sums = province.get("/tinh/doi-chieu-nguon").text
    assert missed.memo not in sums
    assert "70.000 đ" in sums
    settings = Settings.model_construct(metrics_token=SecretStr(TOKEN))
    client = TestClient(build_app(dataclasses.replace(world.wiring, settings=settings)))
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer x"}).status_code == 404
    told = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert 'hocphi_feed_differences{kind="never_called"} 1\n' in told.text
    assert 'hocphi_feed_differences_dong{kind="never_called"} 70000\n' in told.text
    assert 'hocphi_feed_differences_oldest_days{kind="never_called"} 3\n' in told.text
    assert 'hocphi_transfers_open{state="waiting"} 1\n' in told.text
    assert missed.memo not in told.text


def test_the_money_that_was_taken_back_is_found_among_many_of_one_sum(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank_reversal_rows, "MOST_CHOICES", 2)
    bank = world.collecting
    numbers = {}
    bank.hear_of(bank.pays(bank.requests[0].reference, 55_000))
    for memo in ("lop 1a", "mua he", "mua dong", "tien sach"):
        bank.hear_of(bank.pays(memo, 55_000))
    with bank.database.transaction(bank.scope) as session:
        for each in session.exec(select(Transfer)).all():
            numbers[each.memo] = each.bank_reference or each.provider_id
    bank.hear_of(bank.pays(f"Hoan GD {numbers['mua he']} chuyen nham", 55_000, direction=Direction.OUT))
    maker = world.signed_in(world.staff("accountant"))
    out = transfer_of(maker).rpartition("/")[2]

    def offered(words: str = "") -> list[str]:
        page = html.unescape(maker.get(PATH, params={"ra": out, "tim": words}).text)
        choices = re.search(r'name="tien_vao".*?</select>', page, re.DOTALL)
        return re.findall(r"<option value=\"[0-9a-f-]+\">([^<]*)<", choices[0]) if choices else []

    assert ["mua he" in each for each in offered()] == [True, False], "what the bank names comes first"
    assert "Có 5 khoản tiền vào khớp" in maker.get(PATH).text
    pupil = bank.children[0].pupil.full_name
    [paid] = offered(pupil.casefold())
    assert pupil in paid
    assert [numbers["tien sach"] in each for each in offered(numbers["tien sach"])] == [True]
    assert ["mua dong" in each for each in offered("DONG mua")] == [True]
    assert "chưa ghi cho em nào" in offered("mua dong")[0]
    assert offered("khong co") == []
    page = maker.get(PATH, params={"ra": out, "tim": "khong co"}).text
    assert "Không có khoản tiền vào nào khớp" in page
    assert 'name="tim" type="search"' in page, "and another word can be typed"
