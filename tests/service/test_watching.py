"""Who may come to a feed's address: the real peer is judged, refusals are counted and nothing of them is kept."""

from __future__ import annotations

from typing import cast

import httpx
import pytest
from sqlmodel import select

from billing.errors import Refused
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.feeds.base import Feed as Reader
from reconciliation.lists.tables import FeedRefusal
from reconciliation.tables import Feed, InboxMessage
from service import watching
from service.database import EVERYTHING, Database
from service.door import Door
from service.preparing import Addresses
from service.watching import Watched, networks_of
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.factories.serving import serving


def watched(*networks: str) -> Watched:
    return Watched(new_id(), new_id(), cast("Reader", None), networks_of(networks))


@pytest.mark.parametrize(
    ("networks", "client", "in_"),
    [
        ((), ("203.0.113.7", 1), True),
        ((), None, True),
        (("203.0.113.7",), ("203.0.113.7", 1), True),
        (("203.0.113.7",), ("203.0.113.8", 1), False),
        (("198.51.100.0/24", "203.0.113.7"), ("198.51.100.255", 1), True),
        (("198.51.100.0/24",), ("198.51.101.0", 1), False),
        (("203.0.113.7",), ("::ffff:203.0.113.7", 1), True),
        (("2001:db8::/32",), ("2001:db8::1", 1), True),
        (("2001:db8::/32",), ("203.0.113.7", 1), False),
        (("203.0.113.7",), None, False),
        (("203.0.113.7",), ("testclient", 1), False),
        (("203.0.113.7",), ("", 0), False),
    ],
)
def test_the_peer_is_judged(networks: tuple[str, ...], client: tuple[str, int] | None, *, in_: bool) -> None:
    assert watched(*networks).lets_in(client) is in_


@pytest.mark.parametrize("written", ["", "x", "203.0.113.300", "203.0.113.7/24", "0.0.0.0/0", "::/0", "*"])
def test_what_is_no_network_or_all_of_them_is_refused(written: str) -> None:
    with pytest.raises(Refused):
        networks_of([written])


@pytest.fixture
def collecting(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_collecting(database, addresses, vault)


def _allow(collecting: Collecting, *networks: str) -> None:
    with collecting.database.transaction(collecting.scope) as session:
        feed = session.get_one(Feed, collecting.feed.id)
        feed.allowed_from = list(networks)
        session.add(feed)


def counted(collecting: Collecting) -> dict[tuple[str, str], int]:
    with collecting.database.transaction(EVERYTHING) as session:
        rows = session.exec(select(FeedRefusal)).all()
    assert {(row.school_id, row.feed_id) for row in rows} <= {(collecting.school.id, collecting.feed.id)}
    return {(row.reason, row.day.isoformat()): row.count for row in rows}


def post(collecting: Collecting, url: str, body: bytes, **more: str) -> httpx.Response:
    door = collecting.door(url)
    return httpx.post(door.url, content=body, headers={**door.headers(body, PAID_AT), **more})


def test_others_get_the_providers_own_refusal_are_counted_and_stored_nowhere(
    collecting: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "WRITE_SECONDS", 600.0)
    _allow(collecting, "203.0.113.0/24")
    body = collecting.bank.callback(collecting.pays("hoc phi"))
    with serving(Door(collecting.wiring)) as url:
        answers = [post(collecting, url, body), post(collecting, url, body), httpx.get(collecting.door(url).url)]
        assert counted(collecting) == {}, "a flood is written down now and then, not one by one"
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, b'{"success": false}')}
    assert counted(collecting) == {("address", "2025-10-06"): 3}
    with collecting.database.transaction(EVERYTHING) as session:
        assert session.exec(select(InboxMessage)).all() == []


def test_wrong_signatures_are_counted_too_and_counts_of_a_day_add_up(collecting: Collecting) -> None:
    for _ in range(2):
        with serving(Door(collecting.wiring)) as url:
            assert post(collecting, url, b"{}", **{"X-SePay-Signature": "sha256=" + "0" * 64}).status_code == 401
    assert counted(collecting) == {("signature", "2025-10-06"): 2}


def test_a_listed_peer_is_let_in(collecting: Collecting) -> None:
    _allow(collecting, "127.0.0.0/8")
    with serving(Door(collecting.wiring)) as url:
        assert post(collecting, url, collecting.bank.callback(collecting.pays("hoc phi"))).status_code == 200
    assert counted(collecting) == {}


@pytest.mark.parametrize(("trusted", "status"), [("192.0.2.1", 401), ("127.0.0.1", 200)])
def test_only_a_trusted_proxy_names_another_peer(collecting: Collecting, trusted: str, status: int) -> None:
    _allow(collecting, "203.0.113.0/24")
    said = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7", "Forwarded": "for=203.0.113.7", "X-Real-IP": "203.0.113.7"}
    with serving(Door(collecting.wiring), trusted=trusted) as url:
        body = collecting.bank.callback(collecting.pays("hoc phi"))
        assert post(collecting, url, body, **said).status_code == status
        first = {"X-Forwarded-For": "203.0.113.7, 198.51.100.1"}  # whoever stands further away writes what he likes
        assert post(collecting, url, body, **first).status_code == 401
