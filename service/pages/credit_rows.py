"""The pages of credit, from rows of one school."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.credits.choosing import class_of_pupils
from billing.credits.dealing import Rule
from billing.credits.history import history_of
from billing.credits.payee import GUARDIAN, PAYER, SHOWN
from billing.credits.reading import asked_back, credit_of, rules_of
from billing.credits.receiving import accounts_of, guardian_payee
from billing.documents.credit_sheets import KeptRow
from billing.documents.filling import pupil_codes
from billing.errors import NotFound
from billing.fees.tables import FeeItem
from billing.ledger.accounts import FAMILY_CREDIT
from billing.ledger.balances import debit_balance
from billing.money import ZERO, Money, total
from billing.payments.still_open import open_bills
from billing.people.names import search_key, sort_key
from billing.people.tables import ClassGroup, Enrolment, Pupil
from billing.vault import Vault
from reconciliation.returning.payees import paying_accounts_of
from service.pages.credit_views import CreditList, CreditMove, CreditQuery, CreditRow, KeptItem, PupilCredit, Sum
from service.pages.returning_rows import bank_choices

PAGE_SIZE = 100
NO_ITEM = "-"  # how money without an item is called in a form
NO_ITEM_NAME = "Nộp thừa (không theo khoản)"
RULE_NAMES = {
    Rule.STAYS: "giữ lại, không tự trừ",
    Rule.SAME_ITEM: "giữ cho đúng khoản này",
    Rule.OFFSET: "trừ khoản này trước, rồi trừ cả đợt thu",
}


def credit_list(session: Session, school_id: UUID, query: CreditQuery, today: date) -> CreditList:
    """Return one page of what a school keeps; sums are over all of it, ``found`` over what was looked for."""
    everything = credit_rows(session, school_id, today)
    groups = class_of_pupils(session, school_id, today)
    rows = [row for row, item in everything if _fits(row, item, query, groups)]
    pages = max(1, -(-len(rows) // PAGE_SIZE))
    page = min(query.page, pages)
    return CreditList(
        query=query,
        rows=tuple(rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]),
        total=len(rows),
        pages=pages,
        found=total(row.amount for row in rows),
        by_item=_sums((row.item, row) for row, _ in everything),
        by_class=_sums((row.class_name, row) for row, _ in everything),
        kept=total(row.amount for row, _ in everything),
        book=book_of(session, school_id),
        classes=class_choices(session, school_id),
        items=item_choices(session, school_id),
    )


def credit_rows(session: Session, school_id: UUID, today: date) -> list[tuple[CreditRow, str | None]]:
    """Return everything a school keeps, by class and name, each row with its item code."""
    kept, asked = credit_of(session, school_id), asked_back(session, school_id)
    pupils = {pupil for pupil, _ in kept}
    names, codes = names_of(session, pupils), pupil_codes(session, pupils)
    groups, items = class_of_pupils(session, school_id, today), item_names(session, school_id)
    rows = [
        (
            CreditRow(
                pupil_id=str(pupil),
                pupil=names.get(pupil, "?"),
                code=codes.get(pupil, ""),
                class_name=groups[pupil].code if pupil in groups else "",
                item=item_name(items, item),
                amount=amount,
                asked=asked.get((pupil, item), ZERO),
            ),
            item,
        )
        for (pupil, item), amount in kept.items()
    ]
    return sorted(rows, key=lambda each: (each[0].class_name, sort_key(each[0].pupil), each[0].pupil_id, each[0].item))


def kept_rows(rows: Iterable[tuple[CreditRow, str | None]]) -> list[KeptRow]:
    """Return the rows of the workbook."""
    return [KeptRow(row.code, row.pupil, row.class_name, row.item, row.amount, row.asked) for row, _ in rows]


def pupil_credit(session: Session, vault: Vault, school_id: UUID, pupil_id: UUID, today: date) -> PupilCredit:
    """Return a pupil's credit with its history; raises ``NotFound`` for who never was at the school."""
    here = select(Pupil).join(Enrolment, col(Enrolment.pupil_id) == Pupil.id)
    pupil = session.exec(here.where(Enrolment.school_id == school_id, Pupil.id == pupil_id)).first()
    if pupil is None:
        raise NotFound("Trường không có học sinh này.", pupil=pupil_id)
    kept, asked = credit_of(session, school_id, [pupil_id]), asked_back(session, school_id, [pupil_id])
    items, rules = item_names(session, school_id), rules_of(session, school_id)
    group = class_of_pupils(session, school_id, today).get(pupil_id)
    return PupilCredit(
        pupil_id=str(pupil_id),
        pupil=pupil.full_name,
        code=pupil_codes(session, [pupil_id]).get(pupil_id, ""),
        class_name=group.code if group else "",
        kept=tuple(
            KeptItem(
                item or NO_ITEM,
                item_name(items, item),
                "trừ thông báo cũ nhất" if item is None else RULE_NAMES[rules.get(item, Rule.STAYS)],
                amount,
                max(amount - asked.get((pupil_id, item), ZERO), ZERO),
            )
            for (_, item), amount in kept.items()
        ),
        moves=tuple(
            CreditMove(
                moved.day,
                moved.what,
                item_name(items, moved.item),
                moved.amount,
                f"{moved.bill_number} ({moved.period})" if moved.bill_number else "",
                moved.note,
            )
            for moved in history_of(session, school_id, pupil_id)
        ),
        due=total(bill.rest for bill in open_bills(session, school_id, [pupil_id])),
        banks=bank_choices(),
        payees=_payees(session, vault, school_id, pupil_id, today),
    )


def _payees(
    session: Session, vault: Vault, school_id: UUID, pupil_id: UUID, today: date
) -> tuple[tuple[str, str], ...]:
    """Return the accounts that a pupil's money may go back to, as a form offers them."""
    paying = paying_accounts_of(session, vault, school_id, pupil_id)
    entered = accounts_of(session, school_id, [pupil_id], today).get(pupil_id)
    own: tuple[tuple[str, str], ...] = ()
    if entered is not None:
        payee = guardian_payee(vault, entered)
        own = ((GUARDIAN, f"Tài khoản phụ huynh nhập {payee.masked} · {payee.name}"),)
    return own + tuple(
        (f"{PAYER}:{each.transfer_id}", f"Tài khoản đã nộp …{each.account[-SHOWN:]} · {each.name}") for each in paying
    )


def item_names(session: Session, school_id: UUID) -> dict[str, str]:
    """Return the school's items by code."""
    rows = session.exec(select(FeeItem.code, FeeItem.legal_name).where(FeeItem.school_id == school_id)).all()
    return dict(rows)


def item_name(names: dict[str, str], code: str | None) -> str:
    """Return an item's name, its code when it is not the school's, or what money without an item is called."""
    return NO_ITEM_NAME if code is None else names.get(code, code)


def item_of(text: str) -> str | None:
    """Return the item code that a form means."""
    return None if text == NO_ITEM else text


def item_choices(session: Session, school_id: UUID) -> tuple[tuple[str, str], ...]:
    """Return the items under which something is kept, by name."""
    names = item_names(session, school_id)
    kept = {item for _, item in credit_of(session, school_id)}
    return tuple(sorted(((item or NO_ITEM, item_name(names, item)) for item in kept), key=lambda each: each[1]))


def class_choices(session: Session, school_id: UUID) -> tuple[tuple[str, str], ...]:
    """Return the classes of a school, newest year first."""
    rows = session.exec(
        select(ClassGroup)
        .where(ClassGroup.school_id == school_id)
        .order_by(col(ClassGroup.school_year).desc(), col(ClassGroup.grade), col(ClassGroup.code))
    ).all()
    return tuple((str(row.id), f"{row.code} ({row.school_year})") for row in rows)


def names_of(session: Session, pupils: Collection[UUID]) -> dict[UUID, str]:
    """Return the full names of pupils."""
    return dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())


def book_of(session: Session, school_id: UUID) -> Money:
    """Return what the ledger's account of credit says."""
    return -debit_balance(session, school_id, FAMILY_CREDIT)


def _fits(row: CreditRow, item: str | None, query: CreditQuery, groups: dict[UUID, ClassGroup]) -> bool:
    if query.item and item != item_of(query.item):
        return False
    group = groups.get(UUID(row.pupil_id))
    if query.class_id and (group is None or str(group.id) != query.class_id):
        return False
    told = search_key(f"{row.pupil} {row.code} {row.class_name}")
    return all(word in told for word in search_key(query.words).split())


def _sums(rows: Iterable[tuple[str, CreditRow]]) -> tuple[Sum, ...]:
    amounts: dict[str, Money] = defaultdict(lambda: ZERO)
    pupils: dict[str, set[str]] = defaultdict(set)
    for name, row in rows:
        amounts[name] += row.amount
        pupils[name].add(row.pupil_id)
    return tuple(Sum(name, amount, len(pupils[name])) for name, amount in sorted(amounts.items()))
