"""Tests of reading the inbox: every message ends once, bad ones are put aside, good ones beside them are not harmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import select

from billing.money import Money
from billing.vault import Vault
from reconciliation.errors import StepNotAllowed, UnknownFeed
from reconciliation.feeds.base import NormalisedTransfer
from reconciliation.feeds.opening import (
    feed_by_id,
    forget_old_secret,
    open_feed,
    path_hash,
    reader_of,
    rotate_secret,
)
from reconciliation.feeds.sepay import API_KEY, SepayFeed
from reconciliation.feeds.stand_in import as_it_really_comes
from reconciliation.tables import Feed, InboxMessage, InboxResult, Transfer
from reconciliation.transfers import step
from service.database import EVERYTHING, Database, Scope
from service.jobs import reconciling
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, Collecting, make_collecting
from tests.factories.schools import make_account


def results(collecting: Collecting) -> list[InboxResult]:
    with collecting.database.transaction(EVERYTHING) as session:
        return list(session.exec(select(InboxResult).order_by("inbox_id")).all())


def test_a_message_becomes_a_transfer_and_an_entry(collecting: Collecting) -> None:
    movement = collecting.pays("hoc phi", 650_000)
    collecting.receive(collecting.bank.callback(movement))
    assert reconciling.normalise(collecting.wiring) == 1

    (transfer,) = collecting.transfers()
    assert (transfer.provider, transfer.provider_id) == ("sepay", str(movement.id))
    assert (transfer.amount, transfer.memo, transfer.state) == (Money(650_000), "hoc phi", "new")
    assert (transfer.occurred_at, transfer.value_date) == (PAID_AT, (PAID_AT + timedelta(hours=7)).date())
    assert transfer.bank_reference == movement.bank_reference
    assert collecting.books()["3388S"] == -650_000
    assert [(one.outcome, one.transfers, one.duplicates) for one in results(collecting)] == [("normalised", 1, 0)]
    assert reconciling.normalise(collecting.wiring) == 0


def test_the_stored_body_is_sealed_and_byte_identical(collecting: Collecting) -> None:
    body = collecting.bank.callback(collecting.pays("hoc phi"))
    collecting.receive(body)

    with collecting.database.transaction(EVERYTHING) as session:
        message = session.exec(select(InboxMessage)).one()
    assert collecting.account.number.encode() not in message.body_sealed
    assert collecting.wiring.vault.open_bytes(message.body_sealed, "inbox.body") == body


def test_the_same_bytes_are_stored_once_and_the_same_money_posted_once(collecting: Collecting) -> None:
    body = collecting.bank.callback(collecting.pays("hoc phi"))
    retold = json.dumps(json.loads(body), indent=1).encode()
    collecting.receive(body, body, retold)
    reconciling.normalise(collecting.wiring)

    assert [(one.outcome, one.transfers, one.duplicates) for one in results(collecting)] == [
        ("normalised", 1, 0),
        ("normalised", 0, 1),
    ]
    assert collecting.books()["112"] == 650_000


def test_the_same_id_with_other_money_is_put_aside_and_overwrites_nothing(collecting: Collecting) -> None:
    body = json.loads(collecting.bank.callback(collecting.pays("hoc phi")))
    forged = [{**body, "transferAmount": 1}, {**body, "transferType": "out"}, {**body, "subAccount": "V1"}]
    collecting.receive(*(json.dumps(each).encode() for each in [body, *forged]))
    reconciling.normalise(collecting.wiring)

    assert [one.outcome for one in results(collecting)] == ["normalised", *["quarantined"] * 3]
    assert "đã có" in results(collecting)[1].reason
    assert [transfer.amount for transfer in collecting.transfers()] == [Money(650_000)]
    assert collecting.books()["112"] == 650_000


def test_bad_messages_are_put_aside_and_good_ones_beside_them_are_read(collecting: Collecting) -> None:
    good = [collecting.bank.callback(collecting.pays("hoc phi", 1_000 * n)) for n in range(1, 4)]
    bad = [b"{", json.dumps({**json.loads(good[0]), "id": 5, "accountNumber": "999999999"}).encode()]
    collecting.receive(good[0], bad[0], good[1], bad[1], good[2])
    reconciling.normalise(collecting.wiring)

    outcomes = [one.outcome for one in results(collecting)]
    assert outcomes == ["normalised", "quarantined", "normalised", "quarantined", "normalised"]
    assert "tài khoản khác" in results(collecting)[3].reason
    assert collecting.books()["112"] == 6_000


def test_a_body_that_cannot_be_opened_is_put_aside(collecting: Collecting) -> None:
    with collecting.database.transaction(EVERYTHING) as session:
        message = InboxMessage(
            feed_id=collecting.feed.id,
            digest=b"d",
            body_sealed=Vault(bytes(32)).seal_bytes(b"{}", "inbox.body"),
            received_at=PAID_AT,
        )
        session.add(message)
    reconciling.normalise(collecting.wiring)

    assert results(collecting)[0].outcome == "quarantined"


@pytest.mark.parametrize("moment", ["9999-12-31 23:00:00", "0001-01-01 07:00:00", "1999-12-31 23:59:59"])
def test_a_day_at_the_end_of_the_calendar_blocks_nobody(collecting: Collecting, moment: str) -> None:
    good = collecting.bank.callback(collecting.pays("hoc phi"))
    odd = json.dumps({**json.loads(good), "id": 5, "transactionDate": moment}).encode()
    collecting.receive(odd, good)
    assert reconciling.normalise(collecting.wiring) == 2

    assert [one.outcome for one in results(collecting)] == ["quarantined", "normalised"]
    assert "transactionDate" in results(collecting)[0].reason


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"transferAmount": 10**12 + 1}, "Số tiền 1.000.000.000.001 đ lớn hơn mức có thể có"),
        ({"transactionDate": "2023-10-06 08:00:00"}, "Ngày giao dịch 06/10/2023 đã quá 2 năm"),
        ({"transactionDate": "2025-10-09 08:00:00"}, "Ngày giao dịch 09/10/2025 chưa đến"),
    ],
)
def test_what_cannot_be_true_is_put_aside_with_its_reason_and_not_posted(
    collecting: Collecting, change: dict[str, object], told: str
) -> None:
    good = collecting.bank.callback(collecting.pays("hoc phi"))
    odd = json.dumps({**json.loads(good), "id": 5, **change}).encode()
    collecting.receive(odd, good)
    assert reconciling.normalise(collecting.wiring) == 2

    assert [one.outcome for one in results(collecting)] == ["quarantined", "normalised"]
    assert told in results(collecting)[0].reason
    assert collecting.books()["112"] == 650_000


@pytest.mark.parametrize("failure", [ValueError("x"), OverflowError("x"), KeyError("x"), RecursionError("x")])
def test_whatever_reading_raises_puts_one_message_aside_and_tells_no_content(
    collecting: Collecting, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    bodies = [collecting.bank.callback(collecting.pays("hoc phi", 1_000 * n)) for n in range(1, 4)]
    really = SepayFeed.read

    def read(feed: SepayFeed, body: bytes) -> tuple[NormalisedTransfer, ...]:
        if body == bodies[1]:
            raise failure
        return really(feed, body)

    monkeypatch.setattr(SepayFeed, "read", read)
    collecting.receive(*bodies)
    assert reconciling.normalise(collecting.wiring) == 3

    assert [one.outcome for one in results(collecting)] == ["normalised", "quarantined", "normalised"]
    assert results(collecting)[1].reason == f"Không đọc được thông báo: {type(failure).__name__}"
    assert collecting.books()["112"] == 4_000


@pytest.fixture
def stuck_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Let the database fail whenever a message with some text is read, as a broken row or trigger would."""

    def stick(inside: bytes) -> None:
        really = SepayFeed.read

        def read(feed: SepayFeed, body: bytes) -> tuple[NormalisedTransfer, ...]:
            if inside in body:
                raise ProgrammingError("SELECT", {}, Exception("x"))
            return really(feed, body)

        monkeypatch.setattr(SepayFeed, "read", read)

    return stick


def test_when_a_batch_fails_each_message_is_read_alone(
    collecting: Collecting, stuck_at: Callable[[bytes], None]
) -> None:
    stuck_at(b"ket")
    collecting.receive(*(collecting.bank.callback(collecting.pays(memo)) for memo in ("mot", "ket", "hai")))

    assert reconciling.normalise(collecting.wiring) == 2
    assert [one.outcome for one in results(collecting)] == ["normalised", "normalised"]
    assert reconciling.normalise(collecting.wiring) == 0


def test_stuck_messages_of_a_school_starve_neither_another_school_nor_itself(  # noqa: PLR0913, PLR0917  fixtures
    collecting: Collecting,
    database: Database,
    addresses: Addresses,
    vault: Vault,
    stuck_at: Callable[[bytes], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconciling, "BATCH", 2)
    stuck_at(b"ket")
    other = make_collecting(database, addresses, vault)
    collecting.receive(*(collecting.bank.callback(collecting.pays(f"ket {n}")) for n in range(5)))
    collecting.receive(collecting.bank.callback(collecting.pays("hoc phi")))
    other.receive(other.bank.callback(other.pays("hoc phi")))
    monkeypatch.setattr(reconciling, "MOST_STUCK", 4)
    assert reconciling.normalise(collecting.wiring) == 1, "the other school's"
    assert [transfer.memo for transfer in other.transfers()] == ["hoc phi"]

    monkeypatch.setattr(reconciling, "MOST_STUCK", 1_000)
    assert reconciling.normalise(collecting.wiring) == 1
    assert [transfer.memo for transfer in collecting.transfers()] == ["hoc phi"]


def test_messages_of_a_feed_that_cannot_be_opened_are_put_aside(collecting: Collecting, vault: Vault) -> None:
    with collecting.database.transaction(collecting.scope) as session:
        account = make_account(session, collecting.school, number="0987654321")
        broken, _ = open_feed(session, vault, account, "sepay", API_KEY, "x", None, PAID_AT)
        broken.secret_sealed = bytes(40)
        session.add(broken)
        session.flush()
    collecting.receive(b"{}", feed=broken)
    collecting.receive(collecting.bank.callback(collecting.pays("hoc phi")))
    reconciling.normalise(collecting.wiring)

    assert [one.outcome for one in results(collecting)] == ["quarantined", "normalised"]
    assert "bí mật" in results(collecting)[0].reason


def test_an_api_key_alone_holds_large_amounts(database: Database, addresses: Addresses, vault: Vault) -> None:
    collecting = make_collecting(database, addresses, vault, scheme=API_KEY, hold_above=Money(500_000))
    collecting.hear_of(
        collecting.pays(collecting.requests[0].reference, 500_001),
        collecting.pays(collecting.requests[1].reference, 300_000),
    )

    assert collecting.states() == ["held", "matched"]
    assert collecting.receipts() == [(1, 300_000)]


def test_two_readers_at_once_read_each_message_once(collecting: Collecting) -> None:
    movements = as_it_really_comes([collecting.pays("x", 1_000 + n) for n in range(40)], Random(2))  # noqa: S311  chance, not secrecy
    collecting.receive(*map(collecting.bank.callback, movements))
    with ThreadPoolExecutor(3) as pool:
        read = list(pool.map(reconciling.normalise, [collecting.wiring] * 3))
    reconciling.normalise(collecting.wiring)

    assert sum(read) == 40
    assert len(collecting.transfers()) == len(results(collecting)) == 40


def test_what_is_written_cannot_be_changed(collecting: Collecting) -> None:
    collecting.hear_of(collecting.pays("hoc phi"))
    for statement in (
        "UPDATE transfers SET amount = 1",
        "UPDATE transfers SET memo = 'FW'",
        "DELETE FROM transfers",
        "DELETE FROM inbox",
        "UPDATE inbox SET headers = '{}'",
        "UPDATE inbox_results SET outcome = 'ignored'",
        "UPDATE matches SET outcome = 'matched'",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            collecting.database.transaction(EVERYTHING) as session,
        ):
            session.execute(text(statement))


def test_a_step_that_is_not_listed_is_refused(collecting: Collecting) -> None:
    collecting.hear_of(collecting.pays(collecting.requests[0].reference))
    with collecting.database.transaction(collecting.scope) as session:
        transfer = session.exec(select(Transfer)).one()
        with pytest.raises(StepNotAllowed):
            step(session, transfer, "new", "again", PAID_AT)
        step(session, transfer, "waiting", "undone", PAID_AT)
    assert collecting.states() == ["waiting"]


def test_a_feed_keeps_no_plain_secret_and_changes_it_in_two_steps(collecting: Collecting) -> None:
    vault = collecting.wiring.vault
    with collecting.database.transaction(collecting.scope) as session:
        feed = feed_by_id(session, collecting.school.id, collecting.feed.id)
        assert feed.path_hash == path_hash(collecting.token)
        assert b"bi-mat" not in (feed.secret_sealed or b"")
        with pytest.raises(UnknownFeed, match="bí mật"):
            rotate_secret(session, vault, feed, "")
        rotate_secret(session, vault, feed, "bi-mat-moi")
        assert len(reader_of(feed, vault)._secrets) == 2  # type: ignore[attr-defined]  # what it holds is the point
        forget_old_secret(session, feed)
        assert reader_of(feed, vault)._secrets == (b"bi-mat-moi",)  # type: ignore[attr-defined]  # as above


def test_unknown_feeds_and_providers_are_refused(collecting: Collecting) -> None:
    vault, account = collecting.wiring.vault, collecting.account
    with collecting.database.transaction(collecting.scope) as session:
        for provider, scheme, secret in [
            ("casso", "hmac", "x"),
            ("sepay", "none", "x"),
            ("sepay", "hmac", None),
            ("vietinbank", "rsa", "no key"),
            ("paypal", "hmac", "x"),
        ]:
            with pytest.raises(UnknownFeed):
                open_feed(session, vault, account, provider, scheme, secret, None, PAID_AT)
        with pytest.raises(UnknownFeed):
            feed_by_id(session, collecting.school.id, collecting.account.id)
    with collecting.database.transaction(Scope()) as session:
        assert session.exec(select(Feed)).all() == []


def test_equal_sums_of_a_day_are_not_looked_at_one_by_one(collecting: Collecting) -> None:
    collecting.receive(*(collecting.bank.callback(collecting.pays("hoc phi", 650_000)) for _ in range(40)))
    looked_at = []

    def loaded(transfer: Transfer, _: object) -> None:
        looked_at.append(transfer.id)

    event.listen(Transfer, "load", loaded)
    try:
        assert reconciling.normalise(collecting.wiring) == 40
    finally:
        event.remove(Transfer, "load", loaded)
    assert collecting.books()["3388S"] == -40 * 650_000
    assert looked_at == []
