"""What must always be true, checked on the live database, over all schools; each violation names its row.

Most of it is SQL (``invariant_queries.py``). Here is what SQL cannot say: that stored messages are unchanged byte for
byte, that hash chains and heads recompute, that bank and book agree. Four invariants are about behaviour over time
and are proven by tests, which are named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from types import MappingProxyType
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import TextClause, func, text
from sqlmodel import Session, col, select

from billing.audit.recording import details_digest
from billing.audit.sealing import verify_audit_chain
from billing.audit.tables import AuditDetail, AuditEntry, AuditSeal
from billing.ledger.sealing import verify_chain
from billing.ledger.tables import BankAccount, DailyHead, JournalEntry, Seal
from billing.people.tables import School
from billing.vault import Vault
from reconciliation.daily_check import bank_net, book_net
from reconciliation.inbox import BODY_CONTEXT
from reconciliation.tables import InboxMessage
from service.invariant_queries import INVARIANTS

MOST_PROBLEMS = 100  # of one invariant; one is enough to say no
SEALED_WITHIN = timedelta(minutes=10)
_VIETNAM = timedelta(hours=7)

PROVEN_BY_TESTS = MappingProxyType(
    {
        "I9": (
            "Điều đã báo nhận thì còn sau khi phục hồi",
            "tests/journeys/test_main_job.py::test_after_kills_and_a_flush_the_summary_is_the_same",
        ),
        "I10": (
            "Cùng khóa, cùng nội dung: cùng câu trả lời, một tác dụng",
            "tests/service/test_door.py::test_a_hundred_copies_at_once_are_one_message_and_all_are_answered_alike",
        ),
        "I17": (
            "Thứ tự đến không làm đổi kết quả",
            "tests/reconciliation/test_settling.py::test_every_order_of_five_callbacks_gives_the_same_books",
        ),
        "I18": (
            "Không dữ liệu cá nhân trong nhật ký vận hành",
            "tests/service/test_no_personal_data_in_logs.py::test_a_good_day_tells_of_nobody",
        ),
    },
)


@dataclass(frozen=True, slots=True)
class Result:
    """One invariant: whether it holds, how many rows were looked at, and what is wrong (at most 100 rows)."""

    id: str
    title: str
    checked: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Tell whether it holds."""
        return not self.problems


def check_all(session: Session, vault: Vault, now: datetime) -> list[Result]:
    """Check I1–I8, I11–I16 over everything the session may see; ``now`` is our clock."""
    results = by_queries(session, now)
    more = {
        "I8": _changed_messages(session, vault),
        "I16": _bank_is_not_book(session, now),
    }
    results = [_with_more(result, more.get(result.id, iter(()))) for result in results]
    chains = Result("I12", "Chuỗi băm của sổ cái và nhật ký khớp", _sealed_rows(session), tuple(_chains(session, now)))
    return sorted([*results, chains], key=lambda result: int(result.id[1:]))


def by_queries(session: Session, now: datetime, names: tuple[str, ...] = tuple(INVARIANTS)) -> list[Result]:
    """Ask the queries of these invariants, all in one statement, and so in one look at one state of the rows.

    Asked one by one, PostgreSQL would plan a hundred statements anew each time; of a single one it keeps the plan.
    """
    rows = session.execute(_asked(names), {"now": now}).all()
    checked = {row.name: row.checked for row in rows if row.checked is not None}
    problems: dict[str, list[str]] = {name: [] for name in names}
    for row in sorted(rows, key=lambda row: row.place):
        if row.checked is None:
            problems[row.name].append(row.problem)
    return [
        Result(name, INVARIANTS[name].title, checked[name], tuple(problems[name][:MOST_PROBLEMS])) for name in names
    ]


@cache
def _asked(names: tuple[str, ...]) -> TextClause:
    """Return the statement: for each invariant a row with the number of rows looked at, then one for each violation."""
    parts = [
        f"SELECT '{name}' AS name, 0 AS place, ({INVARIANTS[name].counted}) AS checked, NULL AS problem"
        for name in names
    ] + [
        f"SELECT '{name}', {place}, NULL, problem::text FROM (({query}) LIMIT {MOST_PROBLEMS}) AS found (problem)"  # noqa: S608  our own words
        for name in names
        for place, query in enumerate(INVARIANTS[name].queries)
    ]
    return text("\nUNION ALL\n".join(parts))


def _with_more(result: Result, problems: Iterator[str]) -> Result:
    room = MOST_PROBLEMS - len(result.problems)
    return Result(result.id, result.title, result.checked, (*result.problems, *islice(problems, room)))


def _changed_messages(session: Session, vault: Vault) -> Iterator[str]:
    """Yield the messages whose stored body cannot be opened, or is not what was received."""
    rows = session.exec(select(InboxMessage).order_by(col(InboxMessage.id)).execution_options(yield_per=500))
    for row in rows:
        try:
            body = vault.open_bytes(row.body_sealed, BODY_CONTEXT)
        except (InvalidTag, ValueError):
            yield f"inbox {row.id} cannot be opened"
            continue
        if hashlib.sha256(body).digest() != row.digest:
            yield f"inbox {row.id} is not what was received"


def _bank_is_not_book(session: Session, now: datetime) -> Iterator[str]:
    today = (now + _VIETNAM).date()
    for account in session.exec(select(BankAccount).order_by(col(BankAccount.id))).all():
        bank, book = bank_net(session, account, today), book_net(session, account, today)
        if bank != book:
            yield f"bank account {account.id}: bank {bank.dong}, book {book.dong}"


def _chains(session: Session, now: datetime) -> Iterator[str]:
    """Yield what does not fit in the chains of any school, and what stands unsealed for too long."""
    for school_id in session.exec(select(School.id).order_by(col(School.id))).all():
        yield from (f"school {school_id}: {problem}" for problem in verify_chain(session, school_id))
        yield from (f"school {school_id}: {problem}" for problem in verify_audit_chain(session, school_id))
        yield from _heads(session, school_id)
    yield from _changed_details(session)
    yield from _unsealed(session, now - SEALED_WITHIN)


def _heads(session: Session, school_id: UUID) -> Iterator[str]:
    """Yield the daily heads that are no link of the chain."""
    rows = session.exec(
        select(DailyHead, Seal.digest)
        .outerjoin(
            Seal,
            (col(Seal.school_id) == col(DailyHead.school_id)) & (col(Seal.chain_seq) == col(DailyHead.chain_seq)),
        )
        .where(DailyHead.school_id == school_id),
    ).all()
    for head, digest in rows:
        if digest != head.digest:
            yield f"school {school_id}: the head of {head.day} is no link of the chain"


def _changed_details(session: Session) -> Iterator[str]:
    """Yield the deeds whose details are there and are not what was written down."""
    rows = session.exec(
        select(AuditEntry.id, AuditEntry.digest, AuditDetail)
        .join(AuditDetail, col(AuditDetail.audit_id) == col(AuditEntry.id))
        .execution_options(yield_per=500),
    )
    for audit_id, digest, detail in rows:
        if detail.salt and details_digest(detail.salt, detail.details) != digest:
            yield f"details of audit entry {audit_id} were changed"


def _unsealed(session: Session, before: datetime) -> Iterator[str]:
    sealed = select(Seal.entry_id).where(
        col(Seal.school_id) == col(JournalEntry.school_id),
        col(Seal.entry_id) == col(JournalEntry.id),
    )
    entries = session.exec(
        select(JournalEntry.id).where(JournalEntry.recorded_at < before, ~sealed.exists()).limit(MOST_PROBLEMS),
    )
    yield from (f"entry {entry_id} has no seal" for entry_id in entries)
    sealed_deed = select(AuditSeal.audit_id).where(
        col(AuditSeal.school_id) == col(AuditEntry.school_id),
        col(AuditSeal.audit_id) == col(AuditEntry.id),
    )
    deeds = session.exec(
        select(AuditEntry.id).where(AuditEntry.at < before, ~sealed_deed.exists()).limit(MOST_PROBLEMS),
    )
    yield from (f"audit entry {audit_id} has no seal" for audit_id in deeds)


def _sealed_rows(session: Session) -> int:
    books = session.exec(select(func.count()).select_from(Seal)).one()
    deeds = session.exec(select(func.count()).select_from(AuditSeal)).one()
    return books + deeds
