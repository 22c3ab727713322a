"""Twenty kinds of poison among good callbacks: each is put aside with its reason, and no good one waits for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import httpx
import pytest
from sqlmodel import Session, select

from billing.vault import Vault
from reconciliation import normalising
from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.payos import CHECKSUM, signed_text
from reconciliation.feeds.signing import hmac_hex
from reconciliation.matching import Direction
from reconciliation.tables import InboxMessage, InboxResult
from service.database import EVERYTHING
from service.door import Door
from service.jobs import reconciling
from tests.factories.collecting import PAID_AT, Collecting
from tests.factories.serving import serving
from tests.journeys.money_in.town import MARKS, PROOF
from tests.reconciliation.feeds import payos_published

ALL, COPIES, BATCH = (10_000, 10, reconciling.BATCH) if PROOF else (100, 1, 20)

pytestmark = MARKS


@dataclass(frozen=True, slots=True)
class Poison:
    """How a good body becomes a bad one, and what its reason must say; no reason: it is read for all that."""

    make: Callable[[dict[str, object]], bytes]
    reason: str = ""
    status: int = 200


def changed(**fields: object) -> Callable[[dict[str, object]], bytes]:
    return lambda good: json.dumps({**good, **fields}).encode()


def without(field: str) -> Callable[[dict[str, object]], bytes]:
    return lambda good: json.dumps({name: value for name, value in good.items() if name != field}).encode()


def text_of(good: dict[str, object]) -> str:
    return json.dumps(good)


NO_JSON, AMOUNT = "không phải là JSON hợp lệ", "transferAmount phải là số nguyên dương"
POISON = {
    "bad UTF-8": Poison(lambda good: text_of(good).encode() + b"\xff", NO_JSON),
    "UTF-16": Poison(lambda good: text_of(good).encode("utf-16"), NO_JSON),
    "a mark of byte order": Poison(lambda good: b"\xef\xbb\xbf" + text_of(good).encode(), NO_JSON),
    "a bare NUL": Poison(lambda good: text_of({**good, "content": "@"}).replace("@", "\0").encode(), NO_JSON),
    "cut off": Poison(lambda good: text_of(good).encode()[:-5], NO_JSON),
    "too deep": Poison(
        lambda good: text_of({**good, "x": "@"}).replace('"@"', "[" * 9 + "]" * 9).encode(), "quá 8 tầng"
    ),
    "bottomless": Poison(lambda good: f'{{"id": {good["id"]}, "x": {"[" * 30_000}'.encode(), NO_JSON),
    "a key twice": Poison(lambda good: text_of(good).replace("{", '{"transferAmount": 1, ', 1).encode(), NO_JSON),
    "no number": Poison(changed(transferAmount=float("nan")), NO_JSON),
    "a list": Poison(lambda good: json.dumps([good]).encode(), "không phải là một đối tượng"),
    "1 MB of memo": Poison(changed(content="x" * 2**20), status=413),
    "60 KB of memo": Poison(changed(content="x" * 60_000), "content phải là chữ, tối đa 500"),
    "below 0": Poison(changed(transferAmount=-650_000), AMOUNT),
    "0": Poison(changed(transferAmount=0), AMOUNT),
    "above 2^53": Poison(changed(transferAmount=2**53 + 1), "lớn hơn mức có thể có"),
    "above 2^63": Poison(changed(transferAmount=2**63), AMOUNT),
    "a float": Poison(changed(transferAmount=650_000.0), AMOUNT),
    "true": Poison(changed(transferAmount=True), AMOUNT),
    "digits as text": Poison(changed(transferAmount="650000"), AMOUNT),
    "no id": Poison(without("id"), "id phải là số nguyên"),
    "no such day": Poison(changed(transactionDate="2025-02-30 08:00:00"), "transactionDate"),
    "a day long gone": Poison(changed(transactionDate="1999-12-31 08:00:00"), "transactionDate"),
    "another account": Poison(changed(accountNumber="999999999"), "tài khoản khác"),
    "neither in nor out": Poison(changed(transferType="both"), "in hoặc out"),
    "a NUL written as JSON": Poison(changed(content="hoc\0phi")),
    "half a letter": Poison(changed(content="hoc phi \ud800")),
    "money out": Poison(changed(transferType=Direction.OUT.value)),
}
DOLLARS = "currency phải là VND"


def open_payos(collecting: Collecting) -> str:
    """Open a feed of payOS on the account too, since SePay names no currency; return where it is told."""
    with collecting.database.transaction(collecting.scope) as session:
        vault, account = collecting.wiring.vault, collecting.account
        return open_feed(session, vault, account, "payos", CHECKSUM, payos_published.KEY, None, PAID_AT)[1]


def dollars(collecting: Collecting, number: int) -> bytes:
    """Return a signed callback of payOS in another currency."""
    data = {**payos_published.DATA, "accountNumber": collecting.account.number, "currency": "USD", "orderCode": number}
    signature = hmac_hex(payos_published.KEY.encode(), signed_text(data), "sha256")
    return json.dumps({"data": data, "signature": signature}).encode()


def good_body(collecting: Collecting, dong: int = 1_000) -> bytes:
    return collecting.bank.callback(collecting.pays("khong ghi ma", dong))


def fill_the_inbox(collecting: Collecting) -> tuple[dict[bytes, str], int]:
    """Post everything, the poison spread evenly; return the reason expected for each poison, and how much is good."""
    expected: dict[bytes, str] = {}
    good = 0
    token = open_payos(collecting)
    each = ALL // (COPIES * (len(POISON) + 1)) - 1
    with serving(Door(collecting.wiring)) as url, httpx.Client() as client:
        door = collecting.door(url)
        for copy in range(COPIES):
            body = dollars(collecting, 1_000 + copy)
            assert client.post(f"{url}/callbacks/{token}", content=body).status_code == 200
            expected[body] = DOLLARS
            for name, poison in POISON.items():
                collecting.receive(*(good_body(collecting) for _ in range(each)))
                good += each
                body = poison.make(json.loads(good_body(collecting)))
                answer = client.post(door.url, content=body, headers=door.headers(body, PAID_AT))
                assert answer.status_code == poison.status, name
                if poison.status == 200:
                    expected[body] = poison.reason
    return expected, good


def outcomes(collecting: Collecting, vault: Vault) -> dict[bytes, InboxResult]:
    with collecting.database.transaction(EVERYTHING) as session:
        rows = session.exec(select(InboxMessage, InboxResult).where(InboxMessage.id == InboxResult.inbox_id)).all()
    return {vault.open_bytes(message.body_sealed, "inbox.body"): result for message, result in rows}


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The messages of each batch that was tried, in order."""
    seen: list[list[int]] = []
    really = normalising.normalise

    def watched(
        session: Session, vault: Vault, school_id: UUID, ids: list[int], now: datetime
    ) -> normalising.Normalised:
        seen.append(list(ids))
        return really(session, vault, school_id, ids, now)

    monkeypatch.setattr(normalising, "normalise", watched)
    monkeypatch.setattr(reconciling, "BATCH", BATCH)
    return seen


def test_poison_is_put_aside_with_its_reason_and_delays_nothing(
    collecting: Collecting, vault: Vault, batches: list[list[int]]
) -> None:
    expected, good = fill_the_inbox(collecting)
    while reconciling.normalise(collecting.wiring):
        pass
    found = outcomes(collecting, vault)

    for body, reason in expected.items():
        assert (found[body].outcome == "quarantined") == bool(reason), body[:200]
        assert reason in found[body].reason, body[:200]
    assert Counter(each.outcome for body, each in found.items() if body not in expected) == {"normalised": good}
    # Each message was tried once, in the order of coming, in as few batches as without any poison.
    tried = [inbox_id for batch in batches for inbox_id in batch]
    assert tried == sorted(tried)
    assert len(tried) == len(set(tried)) == len(found)
    assert len(batches) == -(-len(found) // BATCH)


def test_the_books_hold_the_good_and_nothing_of_the_poison(collecting: Collecting) -> None:
    good_out = json.loads(good_body(collecting, 7_000))
    collecting.receive(*(poison.make({**good_out, "id": 10 + place}) for place, poison in enumerate(POISON.values())))
    collecting.receive(good_body(collecting, 5_000))
    collecting.reconcile()

    # The NUL and the half letter cost a sign of the memo each, never the money; money out is money out.
    assert collecting.books()["112"] == 5_000 + 2 * 7_000 - 7_000
