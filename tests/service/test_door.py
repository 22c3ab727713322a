"""Tests of the bank's door over real HTTP: what is believed is stored once, committed, and only then answered."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import httpx
import psycopg
import pytest
from sqlmodel import select

from billing.storage import new_id
from billing.vault import Vault
from reconciliation.feeds.sepay import API_KEY, SIGNATURE_HEADER
from reconciliation.feeds.stand_in import Postman
from reconciliation.inbox import digest_of
from reconciliation.tables import Feed, InboxMessage
from service import door as door_module
from service.database import EVERYTHING, Database, libpq_url, make_engine
from service.door import Door, GroupCommit, Message
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, SECRET, Collecting, make_collecting
from tests.factories.serving import serving
from tests.standing import standing


@pytest.fixture
@standing
def collecting(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_collecting(database, addresses, vault)


@pytest.fixture
def url(collecting: Collecting) -> Iterator[str]:
    with serving(Door(collecting.wiring)) as address:
        yield address


def stored(collecting: Collecting) -> list[InboxMessage]:
    with collecting.database.transaction(EVERYTHING) as session:
        return list(session.exec(select(InboxMessage).order_by("id")).all())


def post(collecting: Collecting, url: str, body: bytes, **headers: str) -> httpx.Response:
    door = collecting.door(url)
    return httpx.post(door.url, content=body, headers={**door.headers(body, PAID_AT), **headers})


def test_a_callback_is_stored_byte_for_byte_and_answered_as_published(collecting: Collecting, url: str) -> None:
    body = collecting.bank.callback(collecting.pays(collecting.requests[0].reference))
    answer = post(collecting, url, body)

    assert (answer.status_code, answer.content) == (200, b'{"success": true}')
    (message,) = stored(collecting)
    assert collecting.wiring.vault.open_bytes(message.body_sealed, "inbox.body") == body
    assert (message.feed_id, message.received_at) == (collecting.feed.id, PAID_AT)
    assert message.headers["content-type"] == "application/json"


def test_from_the_network_to_the_receipt(collecting: Collecting, url: str) -> None:
    with httpx.Client() as client:
        postman = Postman(client, lambda: PAID_AT, time.sleep, minute_seconds=0.01)
        for movement in (
            collecting.pays(collecting.requests[0].reference, route="from Vietcombank"),
            collecting.pays("khong ma", 10_000),
        ):
            delivery = postman.deliver(movement.id, collecting.bank.callback(movement), collecting.door(url))
            assert (delivery.tries, delivery.taken) == (1, True)
    collecting.reconcile()

    assert collecting.states() == ["matched", "waiting"]
    assert collecting.receipts() == [(1, 650_000)]


def test_a_hundred_copies_at_once_are_one_message_and_all_are_answered_alike(collecting: Collecting, url: str) -> None:
    body = collecting.bank.callback(collecting.pays(collecting.requests[0].reference))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(collecting, url, body), range(100)))
    collecting.reconcile()

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b'{"success": true}')}
    assert len(stored(collecting)) == 1
    assert collecting.receipts() == [(1, 650_000)]


def test_unknown_and_outgoing_money_get_the_same_answer(collecting: Collecting, url: str) -> None:
    body = json.loads(collecting.bank.callback(collecting.pays("khong ma")))
    for changed in ({"transferType": "out"}, {"accountNumber": "000000"}, {"transferAmount": "x"}):
        assert post(collecting, url, json.dumps({**body, **changed}).encode()).content == b'{"success": true}'


def test_a_wrong_signature_is_refused_and_nothing_is_stored_or_echoed(collecting: Collecting, url: str) -> None:
    body = collecting.bank.callback(collecting.pays("khong ma"))
    good = collecting.door(url).headers(body, PAID_AT)
    attempts = [
        post(collecting, url, body + b" ", **good),
        post(collecting, url, body, **{SIGNATURE_HEADER: "sha256=" + "0" * 64}),
        httpx.post(collecting.door(url).url, content=body),
        httpx.post(collecting.door(url).url, content=body, headers={"Authorization": f"Apikey {SECRET}"}),
        httpx.post(collecting.door(url).url, content=body, headers=[*good.items(), *good.items()]),
    ]

    assert {(answer.status_code, answer.content) for answer in attempts} == {(401, b'{"success": false}')}
    assert stored(collecting) == []


def test_an_old_signature_is_refused(collecting: Collecting, url: str) -> None:
    body = collecting.bank.callback(collecting.pays("khong ma"))
    headers = collecting.door(url).headers(body, PAID_AT - timedelta(seconds=301))

    assert httpx.post(collecting.door(url).url, content=body, headers=headers).status_code == 401


def test_other_paths_methods_and_sizes(collecting: Collecting, url: str) -> None:
    right = collecting.door(url).url

    assert httpx.post(f"{url}/callbacks/nobody", content=b"{}").status_code == 404
    assert httpx.post(f"{url}/callbacks/", content=b"{}").status_code == 404
    assert httpx.get(right).status_code == 405
    assert httpx.post(right, content=b"x" * (64 * 1024 + 1)).status_code == 413
    assert stored(collecting) == []


def test_a_body_that_never_ends_is_given_up(collecting: Collecting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "READ_WITHIN_SECONDS", 0.2)
    with serving(Door(collecting.wiring)) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as slow:
            slow.sendall(
                f"POST /callbacks/{collecting.token} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx".encode()
            )
            assert b" 408 " in slow.recv(200)


def test_a_new_feed_is_found_at_once_and_a_closed_one_soon_forgotten(
    collecting: Collecting, addresses: Addresses, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "SNAPSHOT_SECONDS", 0.3)
    monkeypatch.setattr(door_module, "MISS_SECONDS", 0.0)
    with serving(Door(collecting.wiring)) as url:
        assert post(collecting, url, b"{}").status_code == 200
        later = make_collecting(collecting.database, addresses, vault)
        assert post(later, url, b"{}").status_code == 200
        with collecting.database.transaction(collecting.scope) as session:
            feed = session.exec(select(Feed)).one()
            feed.closed_at = PAID_AT
            session.add(feed)
        until = time.monotonic() + 60
        while post(collecting, url, b"{ }").status_code != 404:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_feed_that_cannot_be_opened_closes_no_other_door(
    collecting: Collecting, addresses: Addresses, vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    broken = make_collecting(collecting.database, addresses, vault)
    with collecting.database.transaction(broken.scope) as session:
        feed = session.exec(select(Feed)).one()
        feed.previous_secret_sealed = bytes(40)
        session.add(feed)
    with serving(Door(collecting.wiring)) as url:
        assert post(broken, url, b"{}").status_code == 404
        assert post(collecting, url, b"{}").status_code == 200

    assert f"feed {broken.feed.id} cannot be used" in caplog.text


def test_an_api_key_is_never_stored(database: Database, addresses: Addresses, vault: Vault) -> None:
    collecting = make_collecting(database, addresses, vault, scheme=API_KEY)
    with serving(Door(collecting.wiring)) as url:
        headers = {"Authorization": f"Apikey {SECRET}", "User-Agent": "SePay"}
        answer = httpx.post(f"{url}/callbacks/{collecting.token}", content=b"{}", headers=headers)

    assert answer.status_code == 200
    assert stored(collecting)[0].headers == {"user-agent": "SePay"}


def test_without_the_database_the_provider_is_asked_to_come_again(collecting: Collecting) -> None:
    nowhere = "postgresql://hocphi_door:x@127.0.0.1:1/hocphi"
    cut = replace(collecting.wiring, addresses=replace(collecting.wiring.addresses, door=nowhere))
    with serving(Door(cut)) as url:
        assert post(collecting, url, b"{}").status_code == 503
    blind = replace(collecting.wiring, database=Database(make_engine(nowhere)))
    with serving(Door(blind)) as url:
        assert post(collecting, url, b"{}").status_code == 503


def test_an_insert_that_hangs_is_given_up_and_holds_up_nothing(
    collecting: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "STORE_WITHIN_SECONDS", 0.3)
    row = "INSERT INTO inbox (feed_id, digest, body_sealed, headers, received_at) VALUES (%s, %s, '', '{}', now())"
    with (
        serving(Door(collecting.wiring)) as url,
        psycopg.connect(libpq_url(collecting.wiring.addresses.owner)) as holding,
    ):
        holding.execute(row, [collecting.feed.id, digest_of(b"{}")])
        assert post(collecting, url, b"{}").status_code == 503, "somebody else holds this very row"
        assert post(collecting, url, b"[]").status_code == 200
        holding.rollback()
        assert post(collecting, url, b"{}").status_code == 200

    assert len(stored(collecting)) == 2


def test_a_bell_that_hangs_delays_no_answer(collecting: Collecting) -> None:
    rung: list[str] = []
    repaired = threading.Event()

    def hanging_bell(task: str) -> None:
        repaired.wait(60)
        rung.append(task)

    with serving(Door(replace(collecting.wiring, ring=hanging_bell))) as url:
        for number in range(6):
            assert post(collecting, url, f"[{number}]".encode()).status_code == 200
        assert rung == []
        repaired.set()

    assert set(rung) == {"reconciliation.normalise"}
    assert len(rung) <= 3, "many callbacks share a ring"


def message_of(collecting: Collecting, number: int) -> Message:
    digest = number.to_bytes(32)
    return Message(collecting.feed.id, digest, b"sealed", "{}", PAID_AT)


def test_one_bad_row_harms_no_other_of_its_group(collecting: Collecting) -> None:
    good = [message_of(collecting, number) for number in range(5)]
    bad = good[0]._replace(feed_id=new_id())

    async def store_together() -> list[BaseException | None]:
        group = GroupCommit(collecting.wiring.addresses.door)
        outcomes = await asyncio.gather(*map(group.store, [*good[:3], bad, *good[3:]]), return_exceptions=True)
        await group.close()
        return outcomes

    outcomes = asyncio.run(store_together())
    assert [type(outcome) for outcome in outcomes] == [
        *[type(None)] * 3,
        psycopg.errors.ForeignKeyViolation,
        *[type(None)] * 2,
    ]
    assert len(stored(collecting)) == 5


def test_what_comes_together_is_committed_together(collecting: Collecting) -> None:
    messages = [message_of(collecting, number % 90) for number in range(100)]

    async def store_together() -> None:
        group = GroupCommit(collecting.wiring.addresses.door)
        await asyncio.gather(*map(group.store, messages))
        await group.close()

    asyncio.run(store_together())
    with psycopg.connect(libpq_url(collecting.wiring.addresses.owner)) as connection:
        rows = connection.execute("SELECT count(*), count(DISTINCT xmin::text) FROM inbox").fetchone()
    assert rows == (90, 1)


def test_the_doors_role_may_insert_and_nothing_else(addresses: Addresses) -> None:
    for statement in ("SELECT * FROM inbox", "DELETE FROM inbox", "SELECT * FROM feeds", "SELECT * FROM transfers"):
        with (
            psycopg.connect(libpq_url(addresses.door)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)
