"""What the bank took back, said, agreed and undone over the real web: each by two people."""

from __future__ import annotations

import re

from starlette.testclient import TestClient

from reconciliation.matching import Direction
from tests.service.pages.worlds import World

PATH = "/van-phong/tien-ra"


def press(client: TestClient, pattern: str, **fields: str) -> tuple[int, str]:
    """Send the form of the page whose address fits; return the status and where it leads."""
    page = client.get(PATH).text
    csrf, address = re.search(r'name="csrf" value="([0-9a-f]+)"', page), re.search(rf'action="({PATH}/{pattern})', page)
    assert csrf
    assert address, page
    sent = client.post(address[1], data={"csrf": csrf[1], **fields})
    return sent.status_code, sent.headers.get("location", "")


def test_said_agreed_and_undone_each_by_two(world: World) -> None:
    bank = world.collecting
    bank.hear_of(bank.pays(bank.requests[0].reference, 650_000))
    bank.hear_of(bank.pays("thu hoi lenh chuyen nham", 650_000, direction=Direction.OUT))
    maker, approver = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    money = re.search(r'<option value="([0-9a-f-]{36})"', maker.get(PATH).text)
    assert money
    one = r"[0-9a-f-]{36}"
    status, where = press(maker, f"{one}/thu-hoi", tien_vao=money[1], ly_do="Công văn 12")
    assert (status, "cho-duyet" in where) == (303, True)
    assert press(approver, f"thu-hoi/{one}/duyet")[0] == 303
    assert bank.states() == ["ignored_out", "reversed"]
    status, where = press(maker, f"muc-dich/{one}/huy", ly_do="Chọn nhầm tiền vào")
    assert (status, "cho-duyet" in where) == (303, True)
    assert bank.states() == ["ignored_out", "reversed"], "another person decides"
    assert "Hủy ghi thu hồi: ghi nhầm" in approver.get(PATH).text
    status, where = press(approver, f"thu-hoi/{one}/duyet")
    assert (status, "da=huy-thu-hoi" in where) == (303, True)
    assert bank.states() == ["ignored_out", "waiting"]
    assert "Đã hủy ghi thu hồi" in approver.get(f"{PATH}?da=huy-thu-hoi").text
