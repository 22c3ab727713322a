"""The stage of the bank: families pay, the bank posts callbacks over HTTP or hands out a statement.

What is paid follows from the requests as they were issued (``payments.py``), so whoever plays it again after a crash
books the same movements with the same ids and posts the same bytes. What the inbox holds already is not posted again.

A callback comes again in two ways. SePay repeats the same bytes when it missed our answer: the inbox keeps those once
and nobody counts them. Or the same movement is told anew in other bytes: that is a message of its own in the inbox,
and its result counts a *duplicate*. So "callbacks received" are the stored messages of the feeds, and "duplicates"
those of them that told of a known transfer: both are read from rows, and are the same however often a program died.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import NamedTuple
from uuid import UUID

import httpx
from sqlalchemy import String, cast
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.events.recording import BILL_ISSUED
from billing.events.tables import Event
from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money
from billing.payments.tables import PaymentRequest
from billing.people.tables import Guardianship, Pupil, PupilCode, School
from billing.rounds.tables import BillingRound
from billing.storage import money_sum
from reconciliation.feeds.opening import statement_feed
from reconciliation.feeds.sepay import PROVIDER
from reconciliation.feeds.stand_in import Door, Movement, Payment, Postman, StandInBank, as_it_really_comes
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from reconciliation.inbox import digest_of
from reconciliation.statements.importing import import_statement
from reconciliation.tables import Feed, InboxMessage, StatementFile
from service.database import EVERYTHING
from service.demo.moving_in import school_row, staff_of
from service.demo.payments import OCTOBER, SEPTEMBER, Asked, LastMonth, Month, PlannedPayment, plan
from service.demo.quiet import wait_until_settled
from service.demo.schools import DemoSchool
from service.demo.stage import Stage

SEED = "hocphi 2025-2026"
SENDERS = 8
MINUTE_SECONDS = 0.1  # SePay's 33 minutes of retries pass in 3.3 seconds
PATIENCE_SECONDS = 300.0
SETTLE_SECONDS = 600.0
OPENING = Money(50_000_000)
COMES_AGAIN = 0.06
_FIRST_ID = 92_704
_BEFORE = {OCTOBER.code: SEPTEMBER.code}
_Payee = tuple[UUID, UUID]
_DAYS = {
    SEPTEMBER.code: (date(2025, 9, 1), date(2025, 9, 30)),
    OCTOBER.code: (date(2025, 10, 1), date(2025, 10, 6)),
}


class NotTakenError(RuntimeError):
    """The door took a callback neither at once nor after minutes of new tries."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """One callback to post."""

    movement_id: int
    body: bytes
    door: Door


def play_september(stage: Stage) -> None:
    """Let September's payments happen and wait until they are settled; October's bills depend on what is left."""
    _play(stage, SEPTEMBER, (SEPTEMBER,))


def play_october(stage: Stage) -> None:
    """Let October's payments happen and wait until they are settled."""
    _play(stage, OCTOBER, (SEPTEMBER, OCTOBER))


def _play(stage: Stage, month: Month, so_far: Sequence[Month]) -> None:
    bank, later = _bank(stage, so_far)
    letters = list(_callbacks(stage, month, bank))
    _post(stage, f"Ngân hàng báo có {month.code}", [each for each in letters if each.movement_id not in later])
    for school in stage.schools:
        if stage.feeds[school.code] is None:
            _hand_in_statement(stage, school, month, bank)
    _settle(stage)
    if rest := [each for each in letters if each.movement_id in later]:
        _post(stage, "  phần nộp sau", rest)
        _settle(stage)


def _settle(stage: Stage) -> None:
    stage.wiring.ring("reconciliation.settle")
    wait_until_settled(stage.wiring, SETTLE_SECONDS)


def _bank(stage: Stage, months: Sequence[Month]) -> tuple[StandInBank, frozenset[int]]:
    """Return the bank after these months, and the ids of what it tells later; balances lead from month to month."""
    owners = {school.account.number: school.account.holder for school in stage.schools}
    bank = StandInBank(owners, Random(SEED), first_id=_FIRST_ID)  # noqa: S311  chance, not secrecy
    later = set()
    for account in owners:
        bank.open_account(account, OPENING)
    with stage.wiring.database.transaction(EVERYTHING) as session:
        for month in months:
            for planned in plan(_asked_in(session, stage.schools, month), month, SEED):
                movement = bank.book(_as_payment(planned))
                if planned.later:
                    later.add(movement.id)
    return bank, frozenset(later)


def _as_payment(planned: PlannedPayment) -> Payment:
    return Payment(
        account=planned.account,
        amount=planned.amount,
        at=planned.at,
        memo=planned.memo,
        virtual_account=planned.virtual_account,
        direction=planned.direction,
        payer_name=planned.payer_name,
        payer_account=planned.payer_account,
        route=planned.route,
    )


def _of_month(bank: StandInBank, account: str, month: Month) -> list[Movement]:
    first, last = _DAYS[month.code]
    return [each for each in bank.movements(account) if first <= month.day_of(each.at) <= last]


def _callbacks(stage: Stage, month: Month, bank: StandInBank) -> Iterator[_Letter]:
    """Yield what is posted, as it really comes: out of order, and some of it again."""
    doors = {}
    movements = []
    for school in stage.schools:
        address = stage.feeds[school.code]
        if address is not None:
            doors[school.account.number] = Door(address.url, address.scheme, address.secret)
            movements += _of_month(bank, school.account.number, month)
    movements.sort(key=lambda movement: (movement.at, movement.id))
    seen: Counter[int] = Counter()
    chance = Random(f"{SEED} {month.code}")  # noqa: S311  chance, not secrecy
    for movement in as_it_really_comes(movements, chance, again=COMES_AGAIN):
        body = bank.callback(movement)
        # Of two movements that come again, one comes in the same bytes and one is told anew.
        anew = seen[movement.id] and movement.id % 2
        seen[movement.id] += 1
        yield _Letter(movement.id, _in_other_bytes(body) if anew else body, doors[movement.account])


def _in_other_bytes(body: bytes) -> bytes:
    """Tell the same movement anew: the same fields, written with spaces and in another order."""
    return json.dumps(json.loads(body), ensure_ascii=False, sort_keys=True).encode()


def _post(stage: Stage, title: str, letters: Sequence[_Letter]) -> None:
    """Post what the inbox does not hold yet, by several senders at once, each callback until it is taken."""
    stored = _stored(stage)
    with stage.progress(title, len(letters)) as bar, httpx.Client() as client:
        postman = Postman(client, stage.wiring.clock, time.sleep, minute_seconds=MINUTE_SECONDS)
        left = [letter for letter in letters if (letter.door.url, digest_of(letter.body)) not in stored]
        bar.update(len(letters) - len(left))
        pool = ThreadPoolExecutor(SENDERS)
        try:
            for _ in pool.map(lambda letter: _deliver(postman, letter), left):
                bar.update()
        finally:
            pool.shutdown(cancel_futures=True)


def _deliver(postman: Postman, letter: _Letter) -> None:
    """Go on as SePay does, and begin again when it would give up: the web process may be on its way back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not postman.deliver(letter.movement_id, letter.body, letter.door).taken:
        if time.monotonic() > deadline:
            raise NotTakenError(
                f"Ngân hàng không báo được giao dịch {letter.movement_id} sau {PATIENCE_SECONDS:.0f} giây"
            )


def _stored(stage: Stage) -> set[tuple[str, bytes]]:
    """Return address and digest of every callback the inbox holds."""
    addresses = {school.account.number: stage.feeds[school.code] for school in stage.schools}
    with stage.wiring.database.transaction(EVERYTHING) as session:
        rows = session.exec(
            select(BankAccount.number, InboxMessage.digest)
            .join(Feed, col(Feed.bank_account_id) == BankAccount.id)
            .join(InboxMessage, col(InboxMessage.feed_id) == Feed.id)
            .where(Feed.provider == PROVIDER)
        ).all()
    return {(address.url, digest) for number, digest in rows if (address := addresses.get(number)) is not None}


def _hand_in_statement(stage: Stage, school: DemoSchool, month: Month, bank: StandInBank) -> None:
    """Import the month's statement as its accountant does, and the same file once more, which adds nothing."""
    movements = _of_month(bank, school.account.number, month)
    if not movements or _is_in(stage, school, month):
        return
    first, last = _DAYS[month.code]
    opening = movements[0].balance - movements[0].signed
    head = StatementHead(
        account=school.account.number, owner=school.account.holder, first_day=first, last_day=last, opening=opening
    )
    content = statement(head, movements)
    (stage.state / f"sao-ke-{school.code}-{month.code}.xlsx").write_bytes(content)
    with stage.progress(f"Nhập sao kê {month.code}", 2) as bar:
        for _ in range(2):
            with stage.wiring.database.transaction(EVERYTHING) as session:
                account = _account(session, school)
                now = stage.wiring.clock()
                feed = statement_feed(session, stage.wiring.vault, account, now)
                reader = staff_of(session, school).accountant.user_id
                import_statement(session, stage.wiring.vault, feed, content, reader, now)
            bar.update()


def _account(session: Session, school: DemoSchool) -> BankAccount:
    return session.exec(
        select(BankAccount).where(
            BankAccount.school_id == school_row(session, school).id, BankAccount.number == school.account.number
        )
    ).one()


def _is_in(stage: Stage, school: DemoSchool, month: Month) -> bool:
    """Tell whether the month's statement was imported before; the import is one transaction."""
    first, last = _DAYS[month.code]
    with stage.wiring.database.transaction(EVERYTHING) as session:
        account = _account(session, school)
        found = session.exec(
            select(StatementFile.id).where(
                StatementFile.school_id == account.school_id,
                StatementFile.bank_account_id == account.id,
                StatementFile.first_day >= first,
                StatementFile.last_day <= last,
            )
        ).first()
    return found is not None


class _Issued(NamedTuple):
    """A request with what was due on it when it was issued."""

    school: str
    pupil_id: UUID
    account_id: UUID
    account: str
    reference: str
    virtual_account: str | None
    due: Money

    @property
    def payee(self) -> _Payee:
        return self.pupil_id, self.account_id


def _asked_in(session: Session, schools: Sequence[DemoSchool], month: Month) -> list[Asked]:
    """Return a month's requests as they were issued, each with that of the month before: rows that never change.

    What was still due at the issue is kept by the event of each request; payments that came since change nothing.
    """
    told_by = {school.code: school.account.told_by for school in schools}
    names = _names(session)
    families = _families(session, names)
    before = {each.payee: each for each in _issued(session, _BEFORE.get(month.code))}
    own = _own_bills(session, month.code)
    return [
        Asked(
            reference=each.reference,
            school=each.school,
            pupil=names[each.pupil_id],
            family=families.get(each.pupil_id, names[each.pupil_id]),
            account=each.account,
            told_by=told_by[each.school],
            due=each.due,
            virtual_account=each.virtual_account,
            last=_last(before.get(each.payee), each.due - own.get(each.payee, ZERO)),
        )
        for each in _issued(session, month.code)
        if each.school in told_by
    ]


def _last(before: _Issued | None, carried: Money) -> LastMonth | None:
    return None if before is None else LastMonth(before.reference, before.due, carried)


def _issued(session: Session, code: str | None) -> list[_Issued]:
    rows = session.exec(
        select(School.code, PaymentRequest, BankAccount.number, Event.facts)
        .join(PaymentRequest, col(PaymentRequest.school_id) == School.id)
        .join(BankAccount, col(BankAccount.id) == PaymentRequest.bank_account_id)
        .join(Event, (col(Event.school_id) == School.id) & (col(Event.subject_id) == PaymentRequest.id))
        .join(BillingRound, cast(col(BillingRound.id), String) == col(Event.facts)["round"].astext)
        .where(Event.kind == BILL_ISSUED, BillingRound.school_id == School.id, BillingRound.code == code)
    ).all()
    return [
        _Issued(
            school=school,
            pupil_id=request.pupil_id,
            account_id=request.bank_account_id,
            account=number,
            reference=request.reference,
            virtual_account=request.virtual_account,
            due=Money(facts["amount"]),
        )
        for school, request, number, facts in rows
    ]


def _own_bills(session: Session, code: str) -> dict[_Payee, Money]:
    """Return what the month's own bills ask for; a request's rest was carried over from older ones."""
    rows = session.exec(
        select(Bill.pupil_id, Bill.bank_account_id, money_sum(Bill.family_due))
        .join(BillingRound, col(BillingRound.id) == Bill.round_id)
        .where(BillingRound.code == code)
        .group_by(col(Bill.pupil_id), col(Bill.bank_account_id))
    ).all()
    return {(pupil, account): amount for pupil, account, amount in rows}


def _names(session: Session) -> dict[UUID, str]:
    """Return what tells pupils apart in every database alike: the sector code, or else name and day of birth."""
    names = {
        pupil_id: f"{name} {born}"
        for pupil_id, name, born in session.exec(
            select(col(Pupil.id), col(Pupil.full_name), col(Pupil.birth_date))
        ).all()
    }
    codes = session.exec(select(PupilCode.pupil_id, PupilCode.code).order_by(col(PupilCode.code).desc())).all()
    return names | dict(codes)


def _families(session: Session, names: Mapping[UUID, str]) -> dict[UUID, str]:
    """Return one name for all pupils who share a guardian, also through others: the first of their own names."""
    chosen: dict[UUID, UUID] = {}

    def head(pupil: UUID) -> UUID:
        while chosen.setdefault(pupil, pupil) != pupil:
            pupil = chosen[pupil]
        return pupil

    first_child: dict[UUID, UUID] = {}
    for guardian, pupil in session.exec(select(Guardianship.guardian_id, Guardianship.pupil_id)).all():
        one, other = head(first_child.setdefault(guardian, pupil)), head(pupil)
        least, most = sorted((one, other), key=lambda each: (names[each], each))
        chosen[most] = least
    return {pupil: names[head(pupil)] for pupil in chosen}
