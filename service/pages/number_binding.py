"""The desk of the page of children's own account numbers, on rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Deed, record_deed
from billing.credits.choosing import class_of_pupils, pupils_of_class
from billing.errors import NotFound, Refused
from billing.ledger.tables import BankAccount
from billing.payments.banks import bank_by_bin
from billing.payments.number_tables import NumberList
from billing.payments.pooling import approve_numbers, enter_numbers, open_lists, refuse_numbers
from billing.payments.tables import VirtualAccount
from billing.payments.virtual_accounts import COOLING, assign_virtual_accounts, release_number
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, Enrolment
from service.access.roles import Actor, Place, SignedIn
from service.access.tables import User
from service.pages.bank_account_rows import lacking
from service.pages.credit_rows import class_choices, names_of
from service.pages.number_views import ListRow, NumberRow, NumbersPage, PoolRow
from service.pages.typed import read_id, school_day
from service.pages.within import RowsWithin

SHOWN = 500


class NumberRows(RowsWithin):
    """Pools of numbers, answered from rows."""

    def numbers(self, who: SignedIn, place: Place, now: datetime) -> NumbersPage:
        """Return the pools of the school."""
        session = self._within(place)
        accounts = session.exec(
            select(BankAccount)
            .where(BankAccount.school_id == place.id, col(BankAccount.closed_on).is_(None))
            .order_by(col(BankAccount.bank_bin), col(BankAccount.number))
        ).all()
        pools = tuple(_pool(session, place.id, account, who.user_id, now) for account in accounts)
        return NumbersPage(pools, class_choices(session, place.id))

    def enter_numbers(  # noqa: PLR0913, PLR0917  which account, what, by which paper
        self, who: SignedIn, place: Place, account: str, pasted: str, note: str, now: datetime
    ) -> None:
        """Enter a list from the bank."""
        session = self._within(place)
        enter_numbers(
            session, self._actor(who, Actor.ACCOUNTANT), _account(session, place.id, account), pasted, note, now
        )

    def decide_numbers(  # noqa: PLR0913  which list, how and why
        self, who: SignedIn, place: Place, list_id: UUID, reason: str, now: datetime, *, approved: bool
    ) -> None:
        """Agree to a list, or not."""
        session = self._within(place)
        if approved:
            approve_numbers(session, self._actor(who, Actor.APPROVER), place.id, list_id, now)
        else:
            refuse_numbers(session, self._looks(who, place), place.id, list_id, reason, now)

    def assign_numbers(self, who: SignedIn, place: Place, account: str, class_id: str, now: datetime) -> int:
        """Give every child of a class without a number one."""
        session = self._within(place)
        found = _account(session, place.id, account)
        pupils = pupils_of_class(session, place.id, read_id(class_id), school_day(now))
        before = _holders(session, found)
        given = set(assign_virtual_accounts(session, found, pupils, now)) - before
        if not given:
            raise Refused("Không em nào của lớp được cấp thêm số: các em đã có số, hoặc không còn số trống.")
        deed = Deed(place.id, "numbers.assign", "class", class_id)
        record_deed(session, self._actor(who, Actor.ACCOUNTANT), deed, now, count=len(given))
        return len(given)

    def release_number(self, who: SignedIn, place: Place, number_id: int, reason: str, now: datetime) -> None:
        """Take a number from its child."""
        release_number(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, number_id, reason, now)


def _account(session: Session, school_id: UUID, account: str) -> BankAccount:
    found = session.exec(
        select(BankAccount).where(BankAccount.school_id == school_id, BankAccount.id == read_id(account))
    ).one_or_none()
    if found is None:
        raise NotFound("Không có tài khoản này.", account=account)
    return found


def _holders(session: Session, account: BankAccount) -> set[UUID]:
    rows = session.exec(
        select(VirtualAccount.pupil_id).where(
            VirtualAccount.school_id == account.school_id,
            VirtualAccount.bank_account_id == account.id,
            col(VirtualAccount.released_at).is_(None),
        )
    ).all()
    return {pupil for pupil in rows if pupil is not None}


def _pool(session: Session, school_id: UUID, account: BankAccount, viewer: UUID, now: datetime) -> PoolRow:
    rows = session.exec(
        select(VirtualAccount)
        .where(VirtualAccount.school_id == school_id, VirtualAccount.bank_account_id == account.id)
        .order_by(col(VirtualAccount.number), col(VirtualAccount.id))
    ).all()
    bank = bank_by_bin(account.bank_bin)
    had = _had(session, school_id, [row for row in rows if row.pupil_id is not None], now)
    live = {row.number for row in rows if row.released_at is None}
    gone = [row for row in rows if row.released_at is not None and row.number not in live]
    return PoolRow(
        account_id=str(account.id),
        name=f"{bank.short_name if bank else account.bank_bin} …{account.number[-4:]}",
        free=sum(row.pupil_id is None for row in rows) + len({r.number for r in gone if not _cooling(r, now)}),
        given=sum(row.pupil_id is not None and row.released_at is None for row in rows),
        cooling=len({row.number for row in gone if _cooling(row, now)}),
        waiting=lacking(session, school_id, account.id) if account.only_virtual else (),
        lists=tuple(_list(session, each, viewer) for each in open_lists(session, school_id)
                    if each.bank_account_id == account.id),
        now=tuple(row for row in had if row.until is None)[:SHOWN],
        past=tuple(row for row in had if row.until is not None)[:SHOWN],
    )  # fmt: skip


def _cooling(row: VirtualAccount, now: datetime) -> bool:
    return row.released_at is not None and row.released_at > now - COOLING


def _had(session: Session, school_id: UUID, rows: Sequence[VirtualAccount], now: datetime) -> list[NumberRow]:
    """Return who has or had numbers, those who left the school first, then by class and name."""
    pupils = {row.pupil_id for row in rows if row.pupil_id is not None}
    names, groups = names_of(session, pupils), class_of_pupils(session, school_id, school_day(now))
    here = set(
        session.exec(
            select(Enrolment.pupil_id).where(
                Enrolment.school_id == school_id,
                col(Enrolment.ended_on).is_(None) | (col(Enrolment.ended_on) >= school_day(now)),
            )
        ).all()
    )
    found = [
        NumberRow(
            key=row.id or 0,
            number=row.number,
            pupil=names.get(row.pupil_id, "?"),
            class_name=_code(groups.get(row.pupil_id)),
            since=row.assigned_at,
            until=row.released_at,
            why=row.released_why,
            left=row.pupil_id not in here,
        )
        for row in rows
        if row.pupil_id is not None
    ]
    return sorted(found, key=lambda row: (not row.left, row.class_name, sort_key(row.pupil), row.key))


def _code(group: ClassGroup | None) -> str:
    return group.code if group is not None else ""


def _list(session: Session, row: NumberList, viewer: UUID) -> ListRow:
    by = session.get_one(User, row.made_by).full_name
    first, last = row.numbers[0], row.numbers[-1]
    return ListRow(str(row.id), len(row.numbers), first, last, row.note, by, row.made_at, row.made_by == viewer)
