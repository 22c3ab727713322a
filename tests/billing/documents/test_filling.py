"""Receipts and slips from the rows: every đồng in its place, the same whenever printed, no exemption told."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from billing.bills.tables import BillLine
from billing.documents.filling import CREDIT_ITEM, receipt_document
from billing.documents.receipt_pdf import ReceiptDocument, receipt_pdf
from billing.documents.slip_filling import Printing, slip
from billing.documents.slip_pdf import in_fours, slip_pdf
from billing.documents.vietqr import decode
from billing.errors import NotFound, Refused
from billing.ledger.posting import Fact, reverse
from billing.ledger.tables import JournalEntry
from billing.money import Money
from billing.payments.tables import Payment, PaymentReversal, Receipt, ReceiptVoid
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.receipt_source import sourced_receipt
from service.database import Database, Scope
from service.preparing import Addresses
from tests.billing.documents.pages import codes, pictures, words
from tests.factories.collecting import PAID_AT, Collecting
from tests.factories.sound_world import due_of, make_billed
from tests.standing import standing

LINK = "https://hocphi.example/kiem-tra"
TODAY = date(2025, 10, 6)


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault) -> Collecting:
    return make_billed(database, addresses, vault, pupils=2)


def receipt_ids(session: Session) -> list[UUID]:
    return list(session.exec(select(Receipt.id).order_by(col(Receipt.number))).all())


def documents(world: Collecting) -> list[ReceiptDocument]:
    with world.database.transaction(world.scope) as session:
        return [receipt_document(session, each, LINK) for each in receipt_ids(session)]


def take_back(world: Collecting, number: int) -> None:
    """Reverse the payment of a receipt and make the receipt void, as a correction does."""
    with world.database.transaction(world.scope) as session:
        receipt = session.exec(select(Receipt).where(Receipt.number == number)).one()
        payment = session.get_one(Payment, receipt.payment_id)
        entry = session.exec(
            select(JournalEntry).where(JournalEntry.kind == "payment", JournalEntry.source_id == str(payment.id)),
        ).one()
        at = PAID_AT + timedelta(days=1)
        undo = Fact(payment.school_id, "payment_reversed", str(payment.id), payment.value_date)
        key = reverse(session, entry.id or 0, undo, at)
        session.add(
            PaymentReversal(payment_id=payment.id, school_id=payment.school_id, entry_id=key, reason="nhầm", at=at)
        )
        session.add(ReceiptVoid(receipt_id=receipt.id, school_id=payment.school_id, reason="Ghi nhầm học sinh", at=at))


def test_a_receipt_shows_each_item_of_the_bill_and_what_was_received(world: Collecting) -> None:
    due = due_of(world, 0)
    movement = world.pays(world.requests[0].reference, due)
    world.hear_of(movement)
    (made,) = documents(world)
    with world.database.transaction(world.scope) as session:
        lines = session.exec(select(BillLine).order_by(col(BillLine.bill_id), col(BillLine.position))).all()
        sourced = sourced_receipt(session, receipt_ids(session)[0], LINK)
    assert {(item.name, item.amount) for item in made.items} == {(each.item_name, each.family_share) for each in lines}
    assert made.total == Money(due)
    assert made.remaining == Money(0)
    assert (made.number, made.book, made.issued_on) == ("0000001", "2025-2026", date(2025, 10, 6))
    assert made.bank_reference == ""
    assert sourced.bank_reference == world.transfers()[0].bank_reference
    assert sourced.bank_reference in words(receipt_pdf(sourced))[0]


def test_part_payments_walk_through_the_items_and_tell_what_remains(world: Collecting) -> None:
    due, reference = due_of(world, 0), world.requests[0].reference
    parts = [1_000, 305_000, due - 306_000]
    for part in parts:
        world.hear_of(world.pays(reference, part))
    made = documents(world)
    assert [one.total.dong for one in made] == parts
    assert [one.remaining.dong for one in made] == [due - 1_000, due - 306_000, 0]
    paid: dict[str, int] = {}
    for item in (item for one in made for item in one.items):
        paid[item.name] = paid.get(item.name, 0) + item.amount.dong
    with world.database.transaction(world.scope) as session:
        bill = session.exec(select(BillLine.bill_id).limit(1)).one()
        lines = session.exec(select(BillLine).where(BillLine.bill_id == bill)).all()
    assert paid == {each.item_name: each.family_share.dong for each in lines}


def test_too_much_is_shown_as_credit(world: Collecting) -> None:
    world.hear_of(world.pays(world.requests[0].reference, due_of(world, 0) + 50_000))
    (made,) = documents(world)
    assert (made.items[-1].name, made.items[-1].amount) == (CREDIT_ITEM, Money(50_000))


def test_money_for_a_paid_bill_is_a_receipt_over_credit_alone(world: Collecting) -> None:
    due, reference = due_of(world, 0), world.requests[0].reference
    world.hear_of(world.pays(reference, due))
    world.hear_of(world.pays(reference, 70_000))
    second = documents(world)[1]
    assert [(item.name, item.amount) for item in second.items] == [(CREDIT_ITEM, Money(70_000))]
    assert second.remaining == Money(0)


def test_a_receipt_stays_the_same_when_an_earlier_payment_is_taken_back(world: Collecting) -> None:
    reference = world.requests[0].reference
    world.hear_of(world.pays(reference, 301_000))
    world.hear_of(world.pays(reference, 50_000))
    before = documents(world)
    take_back(world, 1)
    after = documents(world)
    assert receipt_pdf(after[1]) == receipt_pdf(before[1])
    assert after[0].void is not None
    assert (after[0].items, after[0].number) == (before[0].items, before[0].number)
    assert after[0].void.reason == "Ghi nhầm học sinh"
    assert after[0].void.voided_on == date(2025, 10, 7)
    assert "HỦY" in words(receipt_pdf(after[0]))[0]


def test_shares_that_others_pay_are_not_given_away(world: Collecting) -> None:
    world.hear_of(world.pays(world.requests[0].reference, due_of(world, 0)))
    (made,) = documents(world)
    (insurance,) = [item for item in made.items if item.name.startswith("Bảo hiểm")]
    assert insurance.amount == Money(157_950)  # half of it: the State pays the other half
    assert insurance.detail == ""
    page = words(receipt_pdf(made))[0]
    assert "315.900" not in page
    assert "Lớp" not in page
    assert not any(word in page.lower() for word in ("miễn", "giảm", "hỗ trợ", "nghèo"))


def test_a_slip_asks_for_what_is_still_due_by_a_code_that_agrees(world: Collecting) -> None:
    world.hear_of(world.pays(world.requests[1].reference, 200_000))
    due = due_of(world, 1)
    with world.database.transaction(world.scope) as session:
        made = slip(session, world.requests[1].id, Printing(LINK, TODAY))
    assert made.amount_due == Money(due)
    assert made.paid == Money(200_000)
    assert (made.reference, made.account) == (world.requests[1].reference, world.account.number)
    assert made.class_name
    printed = slip_pdf(made)
    (code,) = codes(pictures(printed)[0])
    read = decode(code)
    assert (read.account, read.amount, read.memo) == (world.account.number, Money(due), world.requests[1].reference)
    assert in_fours(world.account.number) in words(printed)[0]


def test_nothing_is_printed_for_what_is_paid(world: Collecting) -> None:
    world.hear_of(world.pays(world.requests[0].reference, due_of(world, 0)))
    with world.database.transaction(world.scope) as session, pytest.raises(Refused, match="nộp đủ"):
        slip(session, world.requests[0].id, Printing(LINK, TODAY))


def test_another_school_finds_neither_receipt_nor_slip(world: Collecting) -> None:
    world.hear_of(world.pays(world.requests[0].reference, due_of(world, 0)))
    with world.database.transaction(world.scope) as session:
        (receipt_id,) = receipt_ids(session)
    with world.database.transaction(Scope.of(new_id())) as session:
        with pytest.raises(NotFound):
            receipt_document(session, receipt_id, LINK)
        with pytest.raises(NotFound):
            sourced_receipt(session, receipt_id, LINK)
        with pytest.raises(NotFound):
            slip(session, world.requests[1].id, Printing(LINK, TODAY))
