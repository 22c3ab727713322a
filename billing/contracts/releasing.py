"""The close of a month: what was paid ahead becomes income as far as its months have begun; harmless twice.

What is released is what should be by then less what was before, so a run that is repeated, late or early finds nothing
twice. A credit note on the line, a bill taken back and a withdrawal are met the same way, also below zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.contracts.giving_back import asked_back
from billing.contracts.prepaid import Prepaid, prepaid_lines
from billing.contracts.reckoning import earned, month_of, months_between
from billing.contracts.tables import ContractStep, IncomeRelease
from billing.errors import Refused
from billing.ledger.posting import Fact, Line, post
from billing.money import ZERO, Money, total

_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class Release:
    """What one line releases in a month, and what remains deferred after it."""

    line: Prepaid
    amount: Money

    @property
    def remains(self) -> Money:
        """What is still deferred."""
        return self.line.deferred - self.amount


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """The list of a month: every prepaid line with what is released now and what remains."""

    month: date
    releases: tuple[Release, ...]

    @property
    def amount(self) -> Money:
        """What becomes income."""
        return total(each.amount for each in self.releases)

    @property
    def remains(self) -> Money:
        """What is still deferred: the balance of the deferred accounts in the book."""
        return total(each.remains for each in self.releases)


def preview_release(session: Session, school_id: UUID, month: date) -> MonthEnd:
    """Return what closing a month would release, and change nothing."""
    first = month_of(month)
    lines = prepaid_lines(session, school_id)
    ended = _ended(session, school_id)
    return MonthEnd(first, tuple(Release(line, _due(line, first, ended) - line.released) for line in lines))


def take_back_later(  # noqa: PLR0913, PLR0917  of whom, after which month, by whom
    session: Session, school_id: UUID, enrolment_id: UUID, month: date, actor: Actor, now: datetime
) -> None:
    """Take back what was released of a withdrawn enrolment for months after its last one."""
    for each in preview_release(session, school_id, month).releases:
        if each.line.enrolment_id == enrolment_id and each.amount < ZERO:
            _write(session, school_id, each, month_of(month), actor, (now + _VIET_NAM).date(), now)


def release_month(  # noqa: PLR0913, PLR0917  of which month, by whom, and the day of its entries
    session: Session, school_id: UUID, month: date, actor: Actor, now: datetime, on: date | None = None
) -> MonthEnd:
    """Release what is earned by the end of a month and not yet released; return the list.

    Raises ``Refused`` for a month that has not begun. One run at a time for a school; the second finds nothing to do.
    Entries bear the day ``on``, else today.
    """
    today = (now + _VIET_NAM).date()
    if month_of(month) > today:
        raise Refused(f"Tháng {month:%m/%Y} chưa đến, chưa kết chuyển doanh thu được.")
    hold_releases(session, school_id)
    done = preview_release(session, school_id, month)
    moving = [each for each in done.releases if each.amount]
    for each in moving:
        _write(session, school_id, each, done.month, actor, on or today, now)
    if moving:
        deed = Deed(school_id, "contract.release", "school", str(school_id), f"{done.month:%m/%Y}")
        record_deed(session, actor, deed, now, lines=len(moving), amount=done.amount.dong)
    return done


def hold_releases(session: Session, school_id: UUID) -> None:
    """Wait until nobody else releases income of a school, and keep others waiting until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"release {school_id}"})


def _write(  # noqa: PLR0913, PLR0917  one line, its month, by whom
    session: Session, school_id: UUID, release: Release, month: date, actor: Actor, today: date, now: datetime
) -> None:
    line, amount = release.line, release.amount
    fact = Fact(school_id, "income_released", f"{line.line_id}:{line.turns + 1}", today, line.number)
    debit, credit = (line.account, line.income) if amount > ZERO else (line.income, line.account)
    entry = post(
        session,
        fact,
        [Line(debit, credit, max(amount, -amount), line.pupil_id, line.item_code, line.bill_id)],
        now,
    )
    session.add(
        IncomeRelease(
            school_id=fact.school_id,
            line_id=line.line_id,
            turn=line.turns + 1,
            month=month,
            amount=amount,
            entry_id=entry,
            made_by=actor.user_id,
            at=now,
        )
    )
    session.flush()


def _due(line: Prepaid, month: date, ended: Mapping[UUID, tuple[date, bool]]) -> Money:
    """Return what of a line should be income by the end of a month.

    Of who withdrew, what is left is the school's by the contract once the correction of what comes back is approved;
    until then, also after a no, no month after the last one counts. A month that comes after a later one takes nothing
    back.
    """
    until = max(month, line.last or month)
    last_day, settled = ended.get(line.enrolment_id, (None, False)) if line.enrolment_id else (None, False)
    if last_day is not None and settled and until >= month_of(last_day):
        return line.net
    if last_day is not None:
        until = min(until, month_of(last_day))
    return earned(line.net, line.months, months_between(line.first, until))


def _ended(session: Session, school_id: UUID) -> dict[UUID, tuple[date, bool]]:
    """Return the last day of enrolments withdrawn from, and whether everything asked for because of it is approved."""
    steps = session.exec(
        select(ContractStep).where(ContractStep.school_id == school_id, ContractStep.kind == "withdrawn")
    ).all()
    asked = asked_back(session, school_id, steps)
    return {
        step.enrolment_id: (step.day, all(each.approved for each in asked[step.contract_id]))
        for step in steps
        if step.enrolment_id
    }
