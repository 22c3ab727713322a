"""Own children on one's own page and on that of a colleague; who is refused for them is written down."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from billing.audit.tables import AuditDetail, AuditEntry
from billing.people.kinship_tables import OwnChild
from billing.people.tables import PupilCode
from billing.vault import Vault
from service.access.tables import AccessEvent
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.service.pages.test_fee_pages import post, token_of
from tests.service.pages.worlds import World, make_world
from tests.standing import standing


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    return make_world(database, addresses, vault, servers)


def child_of(world: World) -> dict[str, str]:
    """Return what the form of a child asks for."""
    pupil = world.billing.pupils[0].pupil
    with world.collecting.database.transaction(world.collecting.scope) as session:
        code = session.exec(select(PupilCode.code).where(PupilCode.pupil_id == pupil.id)).one()
    return {"ma": code, "ho_ten": pupil.full_name}


def reads(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return html.unescape(answer.text)


def test_a_declared_child_is_refused_and_the_refusal_recorded(world: World) -> None:
    user = world.staff("accountant")
    client = world.signed_in(user)
    typed = child_of(world)
    assert client.post("/toi/con", data={"csrf": token_of(client), **typed}).status_code == 303
    assert typed["ho_ten"] in reads(client, "/toi")
    pupil = world.billing.pupils[0].id
    day = (world.clock() + timedelta(days=40)).date().isoformat()
    status, said = post(client, f"/van-phong/gia-han/hoc-sinh/{pupil}/gia-han", den=day, ly_do="Đơn")
    assert status == 403
    assert "đồng nghiệp" in html.unescape(said)
    with world.collecting.database.transaction(world.collecting.scope) as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "own_family.refuse")).one()
        detail = session.exec(select(AuditDetail).where(AuditDetail.audit_id == entry.id)).one()
        noted = session.exec(select(AccessEvent.action).where(AccessEvent.user_id == user.id)).all()
    assert (entry.actor_id, entry.school_id) == (user.id, world.billing.id)
    assert detail.details == {"pupils": [str(pupil)], "at": f"/van-phong/gia-han/hoc-sinh/{pupil}/gia-han"}
    assert "own_family" in noted


def test_a_colleague_enters_a_child_sees_its_code_and_another_takes_it_back(world: World) -> None:
    kin = world.staff("accountant")
    accountant, approver = (world.signed_in(world.staff(role)) for role in ("accountant", "approver"))
    here, typed = f"/nguoi-dung/{kin.id}/nguoi-nha", child_of(world)
    assert f"{here}?" in reads(accountant, "/nguoi-dung")
    assert post(accountant, f"{here}/con", **(typed | {"ho_ten": "Ai Khác"}))[0] == 404
    assert accountant.post(f"{here}/con", data={"csrf": token_of(accountant), **typed}).status_code == 303
    assert accountant.post(f"{here}/lien-he", data={"csrf": token_of(accountant), "so": "0903555017"}).is_redirect
    page = reads(accountant, here)
    assert typed["ma"] in page
    assert typed["ho_ten"] not in page, "a colleague is shown the code"
    assert "09•• ••• 017" in page
    with world.collecting.database.transaction(world.collecting.scope) as session:
        child = session.exec(select(OwnChild).order_by(col(OwnChild.at))).one()
    own = world.signed_in(kin)
    wanted = {"em": str(child.id), "ly_do": "nhầm em"}
    assert own.post(f"{here}/thoi", data={"csrf": token_of(own), **wanted}).status_code == 403
    assert approver.post(f"{here}/thoi", data={"csrf": token_of(approver), **wanted}).status_code == 303
    assert typed["ma"] not in reads(approver, here)
    assert approver.get(f"/nguoi-dung/{child.id}/nguoi-nha").status_code == 404, "nobody of this school"
