"""The page of where a school lies over the web: asked for by one, approved by another, with what it will refuse."""

from __future__ import annotations

import re
from datetime import date

from starlette.testclient import TestClient

from billing.fees.placing import read_places
from service.access.tables import RoleGrant
from service.database import EVERYTHING
from tests.factories.schools import YEAR_STARTS
from tests.service.pages.worlds import World

PATH = "/van-phong/dia-ban"
TYPED = {"dia_ban": "rural", "tinh_cu": "binh_phuoc", "tu_ngay": "2025-12-01", "quyet_dinh": "QĐ 31/2025"}


def send(client: TestClient, path: str, **fields: str) -> int:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(PATH).text)
    assert found
    return client.post(path, data={"csrf": found[1], **fields}).status_code


def waiting(client: TestClient) -> str:
    found = re.search(rf"{PATH}/([0-9a-f-]{{36}})/bo", client.get(PATH).text)
    assert found
    return found[1]


def test_a_change_is_asked_for_looked_at_and_approved(world: World) -> None:
    maker, head = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    assert "từ đầu" in maker.get(PATH).text
    assert send(maker, PATH, **TYPED) == 303
    shown = head.get(PATH).text
    assert "QĐ 31/2025" in shown
    assert "bán trú" in shown, "the boarding price of the ward is above the cap of a rural commune"
    assert "280.000" in shown
    key = waiting(maker)
    assert send(maker, f"{PATH}/{key}/duyet") == 403, "an accountant approves nothing"
    assert send(head, f"{PATH}/{key}/duyet") == 303
    text = maker.get(PATH).text
    assert "01/12/2025" in text
    assert "30/11/2025" in text, "the first place now has a last day"
    with world.collecting.database.transaction(EVERYTHING) as session:
        places = read_places(session, world.billing.id)
    assert [(each.zone, each.since) for each in places] == [("ward", None), ("rural", date(2025, 12, 1))]


def test_one_person_with_both_roles_asks_and_cannot_approve(world: World) -> None:
    both = world.staff("accountant")
    grant = RoleGrant(user_id=both.id, role="approver", school_id=world.billing.id, valid_from=YEAR_STARTS)
    world.change(lambda session: session.add(grant))
    client = world.signed_in(both)
    assert send(client, PATH, **TYPED) == 303
    key = waiting(client)
    assert f"{PATH}/{key}/duyet" not in client.get(PATH).text
    assert send(client, f"{PATH}/{key}/duyet") == 403
    assert send(client, f"{PATH}/{key}/bo") == 303
    assert "Đề nghị đổi địa bàn" in client.get(PATH).text


def test_a_day_that_is_none_is_said(world: World) -> None:
    maker = world.signed_in(world.staff("accountant"))
    assert send(maker, PATH, **{**TYPED, "tu_ngay": ""}) == 422
    assert send(maker, PATH, **{**TYPED, "tu_ngay": "2025-07-31"}) == 422
