"""Changing a school's catalogue: add an item, change its name or account, end it. Its prices: ``pricing.py``.

Nothing is overwritten that a bill may rest on: a bill keeps the names and accounts it was issued with. Every change is
a deed in the audit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.errors import Conflict, NotFound, Refused
from billing.fees import tables
from billing.fees.cap_rows import read_rules
from billing.fees.caps import refuse_prohibited
from billing.fees.earning import open_earning
from billing.fees.item_rows import end_price, find_item, items_of, live_prices, note, one_at_a_time
from billing.fees.items import FeeItem, Group, Ownership, Payer, Unit
from billing.fees.naming import item_code, one_line
from billing.fees.schedule import item_of
from billing.ledger.tables import BankAccount
from billing.people.tables import School


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item as an accountant enters it; ``code`` is its own within the school."""

    code: str
    legal_name: str
    group: Group
    unit: Unit
    legal_basis: str
    revenue_account: str
    bank_account_id: UUID
    valid_from: date
    opt_in: bool = False
    carry_over: str = "none"


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What of an item is to be different from now on; None leaves it. Bills that stand keep what they say."""

    legal_name: str | None = None
    legal_basis: str | None = None
    revenue_account: str | None = None
    bank_account_id: UUID | None = None
    carry_over: str | None = None


def add_item(  # noqa: PLR0913  what is added, where, by whom
    session: Session, school: School, new: NewItem, actor: Actor, now: datetime, *, opened: bool = False
) -> tables.FeeItem:
    """Add an item to a school's catalogue. ``opened``: as ``open_earning`` takes it.

    Raises ``Prohibited`` (with the article), ``Conflict`` for a code that is taken, ``NotFound`` for an account that is
    not the school's, ``Refused`` for anything else that makes no sense.
    """
    one_at_a_time(session, school.id)
    code = item_code(new.code)
    if session.exec(items_of(school.id).where(tables.FeeItem.code == code)).first() is not None:
        raise Conflict(f"Trường đã có khoản thu mã {code}. Hãy đặt mã khác, hoặc sửa khoản đang có.", code=code)
    item = FeeItem(
        code=code,
        name=one_line(new.legal_name),
        group=new.group,
        unit=new.unit,
        account=str(new.bank_account_id),
        legal_basis=one_line(new.legal_basis),
        revenue_account=new.revenue_account.strip(),
        opt_in=new.opt_in,
    )
    _refuse_item(session, school, item, new.valid_from)
    _own_account(session, school.id, new.bank_account_id)
    open_earning(session, school.id, item, opened=opened)
    row = tables.FeeItem(
        school_id=school.id,
        code=item.code,
        legal_name=item.name,
        item_group=item.group.value,
        unit=item.unit.value,
        legal_basis=item.legal_basis,
        revenue_account=item.revenue_account,
        bank_account_id=new.bank_account_id,
        payer=payer_of(school, item.group).value,
        carry_over=_carry_over(new.carry_over),
        opt_in=item.opt_in,
        position=len(session.exec(items_of(school.id)).all()),
        valid_from=new.valid_from,
    )
    session.add(row)
    session.flush()
    note(session, actor, now, row, "fees.add_item", name=row.legal_name, basis=row.legal_basis)
    return row


def change_item(  # noqa: PLR0913, PLR0917  what is changed, where, by whom
    session: Session, school: School, code: str, change: ItemChange, actor: Actor, now: datetime
) -> tables.FeeItem:
    """Change an item's legal name, basis or accounts; bills that stand keep theirs. Raises as ``add_item``."""
    one_at_a_time(session, school.id)
    row = find_item(session, school.id, code)
    item = replace(
        item_of(row),
        name=row.legal_name if change.legal_name is None else one_line(change.legal_name),
        legal_basis=row.legal_basis if change.legal_basis is None else one_line(change.legal_basis),
        revenue_account=row.revenue_account if change.revenue_account is None else change.revenue_account.strip(),
        account=str(change.bank_account_id or row.bank_account_id),
    )
    carry_over = _carry_over(change.carry_over or row.carry_over)
    before = _facts(item_of(row), row.carry_over)
    after = _facts(item, carry_over)
    changed = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    if not changed:
        return row
    _refuse_item(session, school, item, row.valid_from)
    _own_account(session, school.id, UUID(item.account))
    if item.revenue_account != row.revenue_account:
        open_earning(session, school.id, item)
    if item.legal_basis != row.legal_basis:  # bills that stand name the one under which they were issued
        former = tables.FormerBasis(school_id=school.id, item_id=row.id, legal_basis=row.legal_basis, until=now)
        session.add(former)
        session.flush()
    row.legal_name, row.legal_basis, row.revenue_account = item.name, item.legal_basis, item.revenue_account
    row.bank_account_id, row.carry_over = UUID(item.account), carry_over
    session.add(row)
    session.flush()
    note(session, actor, now, row, "fees.change_item", changed=changed)
    return row


def end_item(  # noqa: PLR0913, PLR0917  what is ended, where, when, by whom, why
    session: Session, school: School, code: str, last_day: date, actor: Actor, now: datetime, reason: str = ""
) -> tables.FeeItem:
    """Stop charging an item after a day: its prices end then, later ones are withdrawn.

    Raises ``Refused`` unless the day fits the prices (whole months, except for meals).
    """
    one_at_a_time(session, school.id)
    row = find_item(session, school.id, code)
    if last_day < row.valid_from:
        raise Refused(f"Khoản thu {row.legal_name} bắt đầu từ {row.valid_from:%d/%m/%Y}, không thể dừng trước đó.")
    for price in live_prices(session, row):
        if price.valid_from > last_day:
            price.withdrawn_at = now
        elif price.valid_to is None or price.valid_to > last_day:
            end_price(price, row, last_day)
        session.add(price)
    row.valid_to = last_day
    session.add(row)
    session.flush()
    note(session, actor, now, row, "fees.end_item", reason=reason, last_day=last_day.isoformat())
    return row


def payer_of(school: School, group: Group) -> Payer:
    """Return who pays items of a group unless a reduction says otherwise: public tuition is the State's."""
    states = group is Group.TUITION and school.kind == Ownership.PUBLIC
    return Payer.STATE if states else Payer.FAMILY


def _refuse_item(session: Session, school: School, item: FeeItem, on: date) -> None:
    if school.kind == Ownership.PUBLIC:
        refuse_prohibited(item, on, read_rules(session, school.province_id).prohibitions)


def _own_account(session: Session, school_id: UUID, account_id: UUID) -> None:
    account = session.exec(
        select(BankAccount).where(BankAccount.school_id == school_id, BankAccount.id == account_id)
    ).one_or_none()
    if account is None:
        raise NotFound("Trường không có tài khoản ngân hàng này. Hãy chọn một tài khoản của trường.")
    if account.closed_on is not None:
        raise Refused(f"Tài khoản {account.number} đã đóng. Hãy chọn tài khoản đang dùng.")


def _carry_over(rule: str) -> str:
    if rule not in tables.CARRY_OVER_RULES:
        raise Refused(f"Cách dùng tiền tồn “{rule}” không có. Chọn một trong: {', '.join(tables.CARRY_OVER_RULES)}.")
    return rule


def _facts(item: FeeItem, carry_over: str) -> dict[str, str]:
    return {
        "legal_name": item.name,
        "legal_basis": item.legal_basis,
        "revenue_account": item.revenue_account,
        "bank_account": item.account,
        "carry_over": carry_over,
    }
