"""A transfer nobody can place goes back over the real web: asked, agreed by another, tied, brought back by the bank."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

from reconciliation.matching import Direction
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World

WAITING = "/van-phong/hoan-tien/giao-dich"
OUT = "/van-phong/tien-ra"
FIELDS = {
    "ve": "typed", "ngan_hang": "970436", "ten": "Nguyễn Văn Hòa", "so_tai_khoan": "0071 0001 23456",
    "can_cu": "Đơn ngày 02/10/2025", "ly_do": "Chuyển nhầm trường",
}  # fmt: skip


def found_in(client: TestClient, page: str, pattern: str) -> str:
    found = re.search(pattern, client.get(page).text)
    assert found, pattern
    return found[1]


def test_from_the_waiting_money_to_the_money_that_left_and_came_back(world: World) -> None:
    bank = world.collecting
    bank.hear_of(bank.pays("chuyen nham truong", 777_000))
    maker, checker = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    here = found_in(maker, WAITING, rf'href="({WAITING}/[0-9a-f-]{{36}})\?')
    assert "ngân hàng không nêu tài khoản chuyển" in maker.get(here).text
    for wrong in ({"can_cu": ""}, {"ly_do": ""}, {"ve": "payer"}, {"ngan_hang": ""}):
        assert maker.post(here, data=form(maker, here, **{**FIELDS, **wrong})).status_code == 422
    refund = send(maker, here, here, **FIELDS)
    assert "đã có đề nghị trả lại" in maker.get(here).text
    shown = checker.get(refund).text
    assert "Vietcombank …3456" in shown
    assert "0071000123456" not in shown
    assert "Đơn ngày 02/10/2025" in shown
    send(checker, refund, f"{refund}/duyet")
    assert "Đang trả lại" in maker.get(WAITING).text
    code = found_in(maker, refund, r'class="code">(HT[0-9A-Z]{9})<')
    bank.hear_of(bank.pays(f"hoan tien {code}", 777_000, direction=Direction.OUT))
    tie = found_in(maker, OUT, r'value="(hoan:[0-9a-f-]{36})"')
    address = found_in(maker, OUT, rf'action="({OUT}/[0-9a-f-]{{36}})')
    assert maker.post(address, data=form(maker, OUT, gan=tie)).status_code == 303
    assert "Đã trả lại" in maker.get(WAITING).text
    assert "ngân hàng đã chuyển" in maker.get(refund).text
    bank.hear_of(bank.pays(f"tra lai {code} tai khoan khong ton tai", 777_000))
    back = found_in(maker, refund, rf'action="({refund}/dong/[0-9a-f-]+/tra-ve)')
    came = found_in(maker, refund, r'<option value="([0-9a-f-]{36})">')
    send(maker, refund, back, tien_vao=came)
    assert "Đang trả lại" in maker.get(WAITING).text
    assert "Ngân hàng trả lại ngày" in maker.get(refund).text
    give_up = found_in(maker, refund, rf'action="({refund}/dong/[0-9a-f-]+/rut-lai)')
    send(maker, refund, give_up, ly_do="Người chuyển nhận lại giấy khác")
    assert "Đang trả lại" not in maker.get(WAITING).text
    assert maker.get(here).status_code == 200, "it waits for a person again"
