"""Compares the product with what was reckoned: every pupil's book, the school's accounts, receipts, families' pages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.ledger.balances import trial_balance
from billing.payments.tables import Payment, Receipt, ReceiptBook
from reconciliation.daily_check import bank_net, book_net
from service.database import metadata
from service.guards import OWN_POLICY, WITHOUT_SCHOOL_POLICY
from service.invariants import check_all
from service.jobs import sealing
from tests.factories.unbroken import violations
from tests.journeys.year.pages import compare_pages
from tests.journeys.year.town import Place, Town

_BY_PUPIL = text("""
    SELECT a.code, p.pupil_id, p.item_code, sum(CASE WHEN p.debit_account_id = a.id THEN p.amount ELSE -p.amount END)
    FROM postings p JOIN ledger_accounts a ON a.id IN (p.debit_account_id, p.credit_account_id)
    WHERE p.school_id = :school AND a.code IN ('131', '3383', '131N', '3388H') GROUP BY 1, 2, 3
""")
_CHEAP = ("I1", "I2", "I4", "I5", "I6", "I7", "I13", "I14", "I15")


def look(town: Town, *, whole: bool) -> None:
    """Compare everything; ``whole`` also checks every invariant, and that no school sees another's rows."""
    for place in town.places.values():
        with town.at(place) as session:
            compare_pupils(town, session, place)
            compare_accounts(town, session, place)
            compare_receipts(town, session, place)
            if whole:
                sees_only_its_own(session, place)
            else:
                holds(session, town.clock.now)
    compare_pages(town, whole=whole)
    if whole:
        sealing.seal(town.wiring)
        with town.everywhere() as session:
            wrong = [result for result in check_all(session, town.vault, town.clock.now) if not result.ok]
        assert wrong == []


def compare_pupils(town: Town, session: Session, place: Place) -> None:
    """What each pupil owes, what is kept for it by item, what the State owes for it, what is to be paid out."""
    names = {pupil.id: name for name, pupil in town.pupils.items()}
    found: dict[str, dict[Any, int]] = {code: defaultdict(int) for code in ("131", "3383", "131N", "3388H")}
    for code, pupil, item, amount in session.execute(_BY_PUPIL, {"school": place.id}):
        key = (names[pupil], item) if code in {"3383", "3388H"} else names[pupil]
        found[code][key] += int(amount)
    book = place.reckoner.book
    owed: dict[str, int] = defaultdict(int)
    for bill in book.bills:
        owed[bill.pupil] += bill.rest
    same(place, "131", found["131"], owed)
    same(place, "3383", found["3383"], {key: -amount for key, amount in book.credit.items()})
    same(place, "131N", found["131N"], book.state)
    same(place, "3388H", found["3388H"], {key: -amount for key, amount in book.payable.items()})
    assert all(amount >= 0 for amount in book.credit.values())


def compare_accounts(town: Town, session: Session, place: Place) -> None:
    """Every account of the book comes to what was reckoned, together to nothing, and the bank says the same."""
    book = place.reckoner.book
    balances = {code: amount.dong for code, amount in trial_balance(session, place.id).items()}
    assert sum(balances.values()) == 0
    expected = {
        "131": sum(bill.rest for bill in book.bills),
        "131N": sum(book.state.values()),
        "3383": -sum(book.credit.values()),
        "3388H": -sum(book.payable.values()),
        "3388S": -book.suspense,
        "111": book.cash,
        "112KB": -book.fetched,
        "811N": sum(bill.written_off for bill in book.bills),
        **{code: -amount for code, amount in book.income.items()},
        **{f"112.{row.bank_bin}.{row.number}": book.bank[key] for key, row in place.accounts.items()},
    }
    rest = sum(expected.values())
    assert rest == -book.fees
    same(place, "accounts", {code: balances.get(code, 0) for code in expected}, expected)
    for key, row in place.accounts.items():
        day = town.clock.today
        assert bank_net(session, row, day) == book_net(session, row, day)
        assert bank_net(session, row, day).dong == book.bank[key]


def compare_receipts(town: Town, session: Session, place: Place) -> None:
    """Every payment has one receipt, numbered without a gap in the book of its school year (from August on)."""
    names = {pupil.id: name for name, pupil in town.pupils.items()}
    rows = session.exec(
        select(col(ReceiptBook.code), col(Receipt.number), col(Payment.pupil_id), col(Receipt.amount))
        .join(Payment, col(Payment.id) == Receipt.payment_id)
        .join(ReceiptBook, col(ReceiptBook.id) == Receipt.book_id)
        .where(Receipt.school_id == place.id)
        .order_by(col(Receipt.number))
    ).all()
    for code in {code for code, _, _, _ in rows}:
        numbers = [number for book, number, _, _ in rows if book == code]
        assert numbers == list(range(1, len(numbers) + 1))
    given = Counter((code, names[pupil], amount.dong) for code, _, pupil, amount in rows)
    assert given == Counter((paid.book, paid.pupil, paid.amount) for paid in place.reckoner.book.paid)


def holds(session: Session, now: datetime) -> None:
    """What must always be true of a school's rows."""
    assert violations(session, now, _CHEAP) == []


def sees_only_its_own(session: Session, place: Place) -> None:
    """No row of another school is seen in any table that has schools."""
    for table in metadata().sorted_tables:
        if table.name not in WITHOUT_SCHOOL_POLICY and table.name not in OWN_POLICY and "school_id" in table.c:
            others = text(f"SELECT count(*) FROM {table.name} WHERE school_id <> :school")  # noqa: S608  our names
            assert session.execute(others, {"school": place.id}).scalar_one() == 0, table.name


def same(place: Place, what: str, found: Mapping[Any, int], reckoned: Mapping[Any, int]) -> None:
    """Demand that two lists of sums are equal; else tell which differ."""
    keys = sorted({*found, *reckoned}, key=str)
    wrong = [f"{key}: {found.get(key, 0)} for {reckoned.get(key, 0)}" for key in keys
             if found.get(key, 0) != reckoned.get(key, 0)]  # fmt: skip
    assert not wrong, f"{place.plan.key}, {what}: the book says {'; '.join(wrong)}"
