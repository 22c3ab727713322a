"""Tests of readiness, and of the bank's door in front of the pages."""

from __future__ import annotations

import dataclasses

import httpx
from starlette.testclient import TestClient

from service.database import Database, make_engine
from service.preparing import Addresses
from service.web import build_app
from tests.factories.collecting import PAID_AT
from tests.factories.serving import serving
from tests.service.pages.worlds import World

NOWHERE = "redis://127.0.0.1:1/0"
NO_DATABASE = "postgresql://hocphi_app:x@127.0.0.1:1/hocphi"


def test_ready_with_everything_there(world: World) -> None:
    answer = world.client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert answer.json()["degraded"] == []


def test_without_redis_it_is_ready_but_degraded_and_pages_work(world: World) -> None:
    client = TestClient(build_app(dataclasses.replace(world.wiring, redis_url=NOWHERE)))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["degraded"]) == (200, ["redis"])
    assert client.get(world.link()).status_code == 200


def test_without_the_database_it_is_not_ready_but_alive_and_says_so(world: World) -> None:
    link = world.link()
    gone = Database(make_engine(NO_DATABASE))
    client = TestClient(build_app(dataclasses.replace(world.wiring, database=gone)), raise_server_exceptions=False)
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200
    answer = client.get(link, headers={"accept": "text/html"})
    assert answer.status_code == 503
    assert "Hệ thống đang bận" in answer.text
    gone.close()


def test_another_shape_of_the_database_is_not_ready(world: World, addresses: Addresses) -> None:
    owner = make_engine(addresses.owner)
    with owner.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    owner.dispose()
    answer = world.client().get("/readyz")
    assert (answer.status_code, answer.json()["schema"]) == (503, "9999")


def test_the_bank_s_door_stands_in_front_and_is_dressed_too(world: World) -> None:
    body = world.collecting.bank.callback(world.collecting.pays(world.collecting.requests[0].reference))
    with serving(world.app()) as url:
        door = world.collecting.door(url)
        answer = httpx.post(door.url, content=body, headers=door.headers(body, PAID_AT))
        wrong = httpx.post(door.url, content=body + b" ", headers=door.headers(body, PAID_AT))
        assert httpx.get(url + "/livez").text == "ok\n"
    assert (answer.status_code, answer.content) == (200, b'{"success": true}')
    assert wrong.status_code == 401
    for dressed in (answer, wrong):
        assert dressed.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in dressed.headers
    world.collecting.reconcile()
    assert world.collecting.states() == ["matched"]
