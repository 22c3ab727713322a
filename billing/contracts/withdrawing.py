"""Withdrawal by the contract: what of prepaid terms comes back, shown before anybody agrees, then asked for at once.

Leaving is what it is elsewhere (``billing.moving``): everything ends after the last day, meals and months not begun
come off. Only for what was prepaid does the table of the version agreed to hold instead of the part-month rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.bills.lowering import Off
from billing.contracts.agreeing import add_paper
from billing.contracts.prepaid import Prepaid, prepaid_lines
from billing.contracts.reading import find_contract, steps_of, terms_of
from billing.contracts.reckoning import Withdrawn, withdraw
from billing.contracts.releasing import take_back_later
from billing.contracts.stepping import Taken, hold_contract, take
from billing.contracts.tables import Contract, ContractStep
from billing.errors import Conflict, Refused
from billing.money import Money, total
from billing.moving.leaving import LeavingPreview, Plan, find_leaving, leave, preview_leaving
from billing.moving.tables import NEVER_CAME, Leaving
from billing.plans.papers import Paper
from billing.vault import Vault


@dataclass(frozen=True, slots=True)
class Telling:
    """The family's word: the last day (before the first one: the child never comes), the reason, its letter.

    ``shown`` is the sum that was shown as coming back by the contract; another one now is refused.
    """

    last_day: date
    state: str
    reason: str
    shown: Money | None = None
    paper: Paper | None = None


@dataclass(frozen=True, slots=True)
class WithdrawalPreview:
    """What withdrawing does: ``percent`` of the months left, line by line, and the whole leaving with it."""

    percent: int
    lines: tuple[tuple[Prepaid, Withdrawn], ...]
    leaving: LeavingPreview

    @property
    def back(self) -> Money:
        """What comes back of prepaid terms by the contract, off what is open first."""
        return total(each.back for _, each in self.lines)

    @property
    def kept(self) -> Money:
        """What the school keeps of the months left."""
        return total(each.kept for _, each in self.lines)


def preview_withdrawal(
    session: Session, school_id: UUID, contract_id: UUID, telling: Telling, now: datetime
) -> WithdrawalPreview:
    """Return what withdrawing would do, and change nothing; raises what ``withdraw_from`` raises about the day."""
    contract = find_contract(session, school_id, contract_id)
    lines, percent, plan = _plan(session, contract, telling)
    return WithdrawalPreview(percent, lines, preview_leaving(session, school_id, plan, now))


def withdraw_from(  # noqa: PLR0913, PLR0917  which contract, by whose word, entered by whom
    session: Session,
    vault: Vault,
    school_id: UUID,
    contract_id: UUID,
    telling: Telling,
    actor: Actor,
    now: datetime,
) -> tuple[ContractStep, Leaving]:
    """Let a child leave by its contract: corrections are asked for, and what was released too early is taken back.

    Raises ``Refused`` without a reason or for a day that cannot be, ``Conflict`` when the sums are no longer those that
    were shown, or the contract is not one of a child that studies here.
    """
    contract = hold_contract(session, school_id, contract_id, "enrolled")
    lines, percent, plan = _plan(session, contract, telling)
    back = total(each.back for _, each in lines)
    if telling.shown is not None and telling.shown != back:
        raise Conflict(f"Số tiền trả lại theo hợp đồng nay là {back}, không còn là {telling.shown}. Hãy xem lại.")
    leaving = leave(session, vault, actor, school_id, plan, now)
    paper = add_paper(session, contract, telling.paper, actor, now) if telling.paper else None
    facts = {
        "percent": percent,
        "back": back.dong,
        "kept": total(each.kept for _, each in lines).dong,
        "corrections": leaving.corrections,
        "leaving": str(leaving.id),
        "letter": str(paper.id) if paper else "",
    }
    taken = Taken(
        kind="withdrawn",
        day=telling.last_day,
        reason=leaving.reason,
        enrolment_id=leaving.enrolment_id,
        facts=facts,
    )
    step = take(session, contract, actor, taken, now)
    take_back_later(session, school_id, leaving.enrolment_id, telling.last_day, actor, now)
    return step, find_leaving(session, school_id, leaving.id)


def _plan(
    session: Session, contract: Contract, telling: Telling
) -> tuple[tuple[tuple[Prepaid, Withdrawn], ...], int, Plan]:
    enrolled = steps_of(session, contract).get("enrolled")
    if enrolled is None or enrolled.enrolment_id is None:
        raise Refused(f"Hợp đồng {contract.number} chưa có học sinh nhập học.")
    state = NEVER_CAME if telling.last_day < contract.starts_on else telling.state
    lines = prepaid_lines(session, contract.school_id, enrolled.enrolment_id)
    reckoned = [line.reckoned for line in lines if line.net]
    done, percent = withdraw(terms_of(session, contract), contract.starts_on, telling.last_day, reckoned)
    by_line = {line.line_id: line for line in lines}
    ruled = {line.line_id: Off(line.line_id, Money(0)) for line in lines}
    ruled |= {each.line_id: Off(each.line_id, each.back) for each in done}
    plan = Plan(enrolled.enrolment_id, telling.last_day, state, telling.reason, ruled)
    return tuple((by_line[each.line_id], each) for each in done), percent, plan
