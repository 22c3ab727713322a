"""Transfers that wait for a person, with the matcher's reasons in words, from rows of one school."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.errors import NotFound
from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money, total
from billing.payments.balances import request_balances, rest_of
from billing.payments.tables import Payment, PaymentRequest, PaymentRequestBill, PaymentReversal
from billing.people.names import search_key
from billing.people.tables import ClassGroup, Pupil
from billing.storage import among
from reconciliation.queue.open_bills import open_bills_of
from reconciliation.queue.pieces import pays_in_full
from reconciliation.queue.sharing import OpenBill, Share, pieces_from
from reconciliation.queue.standing import open_acts, seen_of_many, undone_among
from reconciliation.queue.tables import QueueComment
from reconciliation.tables import Match, Transfer, TransferStep
from service.access.tables import User
from service.pages.office_rows import WAITING_STATES
from service.pages.queue_views import Candidate, WaitingList, WaitingRow
from service.pages.sign_words import AMOUNT_FITS, in_words

MAX_ROWS = 50
MOST_LOOKED_AT = 5000

# The matcher's names for its rules, as the office reads them.
_RULES = {
    "nothing_found": "Không có mã nộp trong nội dung chuyển khoản.",
    "several_references": "Nội dung có nhiều mã nộp và số tiền không bằng tổng các mã.",
    "corrected_reference": "Mã nộp sai hoặc thiếu ký tự: cần người xem lại.",
    "another_account": "Mã nộp đúng nhưng tiền vào tài khoản khác.",
    "another_school": "Mã nộp thuộc trường khác.",
    "several_pupils": "Mã này chỉ hơn một học sinh.",
    "weaker_signs": "Không có mã nộp; có dấu hiệu khác để người xem chọn.",
    "person": "Một người đã ghi.",
    "settling_failed": "Chưa tự ghi được: cần người xem lại.",
    "virtual_account_disagrees": "Mã nộp và tài khoản định danh chỉ hai học sinh khác nhau.",
}
_UNKNOWN_RULE = "Chưa đủ căn cứ để tự ghi nhận: cần người xem lại."


def waiting_list(session: Session, school_id: UUID, words: str = "") -> WaitingList:
    """Return the transfers that wait for a person, oldest first, a page of them; the sum is over all that fit."""
    query = _transfers(school_id).where(col(Transfer.state).in_(WAITING_STATES))
    rows = session.exec(query.order_by(col(Transfer.recorded_at), col(Transfer.id))).all()
    rows = [row for row in rows if _fits(row[0], words)]
    shown = rows_of(session, school_id, rows[:MAX_ROWS])
    return WaitingList(
        rows=shown,
        amount=total(transfer.amount for transfer, _ in rows),
        total=len(rows),
        words=words,
        acts=len(open_acts(session, school_id)),
        plain=sum(row.plain for row in shown),
    )


def matched_list(session: Session, school_id: UUID, words: str) -> WaitingList:
    """Return transfers that were booked, newest first, a page of those that fit."""
    query = _transfers(school_id).where(Transfer.state == "matched")
    newest = query.order_by(col(Transfer.recorded_at).desc(), col(Transfer.id).desc()).limit(MOST_LOOKED_AT)
    found = session.exec(newest).all()
    paid = _paid_to(session, school_id) if words else {}
    rows = [row for row in found if _fits(row[0], words, paid.get(row[0].id, ()))]
    listed = rows[:MAX_ROWS]
    paid = _paid_to(session, school_id, [transfer.id for transfer, _ in listed])
    shown = tuple(
        replace(row, paid=paid.get(transfer.id, ()))
        for row, (transfer, _) in zip(rows_of(session, school_id, listed), listed, strict=True)
    )
    return WaitingList(rows=shown, amount=total(transfer.amount for transfer, _ in rows), total=len(rows), words=words)


def one_row(session: Session, school_id: UUID, transfer_id: UUID) -> tuple[Transfer, WaitingRow]:
    """Return one transfer of money in, whatever its state; raises ``NotFound``."""
    found = session.exec(_transfers(school_id).where(Transfer.id == transfer_id)).one_or_none()
    if found is None:
        raise NotFound("Trường không có giao dịch này.")
    return found[0], rows_of(session, school_id, [found])[0]


def accounts_of(session: Session, school_id: UUID, transfers: Sequence[UUID]) -> set[UUID]:
    """Return the school's accounts that some transfers reached."""
    query = select(Transfer.bank_account_id).where(Transfer.school_id == school_id, col(Transfer.id).in_(transfers))
    return set(session.exec(query).all())


def rows_of(session: Session, school_id: UUID, found: Sequence[tuple[Transfer, BankAccount]]) -> tuple[WaitingRow, ...]:
    """Return transfers as the queue shows them, set-wise."""
    ids = [transfer.id for transfer, _ in found]
    matches = _newest_matches(session, school_id, ids)
    reasons = _step_reasons(session, school_id, ids)
    candidates = _candidates(session, school_id, matches)
    made = [
        _row(transfer, account, matches.get(transfer.id), reasons.get(transfer.id, ""), candidates)
        for transfer, account in found
    ]
    return _with_standing(session, school_id, found, made, matches)


def _transfers(school_id: UUID) -> Any:  # noqa: ANN401  the type of a select of two is longer than the function
    return (
        select(Transfer, BankAccount)
        .join(BankAccount, col(BankAccount.id) == col(Transfer.bank_account_id))
        .where(Transfer.school_id == school_id, Transfer.direction == "in")
    )


def _paid_to(session: Session, school_id: UUID, transfers: Sequence[UUID] | None = None) -> dict[UUID, tuple[str, ...]]:
    """Return whom transfers paid (of all, or of some), by name."""
    query = (
        select(Payment.source_id, Pupil.full_name)
        .join(Pupil, col(Pupil.id) == col(Payment.pupil_id))
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(
            Payment.school_id == school_id,
            Payment.source_kind == "transfer",
            col(PaymentReversal.payment_id).is_(None),
        )
        .order_by(col(Pupil.full_name))
    )
    if transfers is not None:
        query = query.where(among(Payment.source_id, transfers))
    names: dict[UUID, tuple[str, ...]] = {}
    for transfer, name in session.exec(query).all():
        names[transfer] = (*names.get(transfer, ()), name)
    return names


def _fits(transfer: Transfer, words: str, names: Sequence[str] = ()) -> bool:
    """Tell whether all words stand in memo, number, sum or pupils' names of a transfer; marks and đ are optional."""
    digits = re.sub(r"[^0-9]", "", words)
    if digits and not re.search(r"[a-zA-Z]", words) and str(transfer.amount.dong).startswith(digits):
        return True
    text = search_key(" ".join((transfer.memo, transfer.provider_id, str(transfer.amount.dong), *names)))
    return all(word in text for word in search_key(words).split())


def _with_standing(
    session: Session,
    school_id: UUID,
    found: Sequence[tuple[Transfer, BankAccount]],
    rows: Sequence[WaitingRow],
    matches: dict[UUID, Match],
) -> tuple[WaitingRow, ...]:
    """Add what was seen of each, who asked for what, how much was said, and which one person may take at once."""
    ids = [transfer.id for transfer, _ in found]
    seen, comments = seen_of_many(session, school_id, ids), _comments(session, school_id, ids)
    acts = {act.transfer_id: act for act in open_acts(session, school_id)}
    names = _users(session, {act.made_by for act in acts.values()})
    undone = undone_among(session, school_id, ids)
    pupils = {UUID(each.pupil_id) for row in rows for each in row.candidates}
    bills = {
        account: open_bills_of(session, school_id, pupils, account)
        for account in {transfer.bank_account_id for transfer, _ in found}
    }
    done = []
    for (transfer, _), row in zip(found, rows, strict=True):
        act = acts.get(transfer.id)
        free = transfer.state == "waiting" and act is None and transfer.id not in undone
        all_here = len(suggested(matches.get(transfer.id))) == len(row.candidates)
        plain = free and all_here and _plain(transfer, row, bills[transfer.bank_account_id])
        done.append(
            replace(
                row,
                transfer_id=str(transfer.id),
                seen=str(seen[transfer.id]),
                asked_by=names.get(act.made_by, "?") if act else "",
                comments=comments.get(transfer.id, 0),
                plain=plain,
                held=transfer.state == "held",
            )
        )
    return tuple(done)


def _plain(transfer: Transfer, row: WaitingRow, bills: Mapping[UUID, Sequence[OpenBill]]) -> bool:
    """Tell whether the matcher names one pupil alone whose bills the sum pays in full; the act decides it again."""
    pupils = {candidate.pupil_id for candidate in row.candidates}
    if len(pupils) != 1:
        return False
    pieces = pieces_from([Share(UUID(pupils.pop()), transfer.amount)], bills)
    rests = {bill.bill_id: bill.rest for each in bills.values() for bill in each}
    return pays_in_full(pieces, rests)


def _comments(session: Session, school_id: UUID, transfers: Sequence[UUID]) -> dict[UUID, int]:
    rows = session.exec(
        select(QueueComment.transfer_id, func.count())
        .where(QueueComment.school_id == school_id, col(QueueComment.transfer_id).in_(transfers))
        .group_by(col(QueueComment.transfer_id))
    ).all()
    return dict(rows)


def _users(session: Session, users: set[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(User.id, User.full_name).where(col(User.id).in_(users))).all())


def _row(
    transfer: Transfer, account: BankAccount, match: Match | None, step: str, candidates: dict[str, Candidate]
) -> WaitingRow:
    found = [candidates[reference] for reference in suggested(match) if reference in candidates]
    return WaitingRow(
        transfer=f"{transfer.provider}-{transfer.provider_id}",
        value_date=transfer.value_date,
        amount=transfer.amount,
        memo=transfer.memo,
        account=f"…{account.number[-4:]}",
        reason=reason_in_words(match, step),
        since=transfer.recorded_at,
        candidates=tuple(_with_reasons(candidate, transfer, _kept(match, candidate.reference)) for candidate in found),
    )


def suggested(match: Match | None) -> list[str]:
    """Return the references that the matcher suggests, best first."""
    bills = match.evidence.get("bills", []) if match else []
    return [str(bill["reference"]) for bill in bills if isinstance(bill, dict) and "reference" in bill]


def rule_of(match: Match | None) -> str:
    """Return the name of the deciding rule."""
    return str(match.evidence.get("rule", "")) if match else ""


def reason_in_words(match: Match | None, step: str) -> str:
    """Return why a transfer waits, as the office reads it."""
    return _RULES.get(rule_of(match)) or _RULES.get(step) or _UNKNOWN_RULE


def _kept(match: Match | None, reference: str) -> dict[str, Any]:
    """Return what the matcher kept about a candidate: its rank, whether another is as good, and its signs."""
    notes = match.evidence.get("notes", []) if match else []
    listed = [each for note in notes if isinstance(note, dict) for each in note.get("candidates", [])]
    mine: dict[str, Any] = next((each for each in listed if each["reference"] == reference), {})
    return {**mine, "equal": sum(each["rank"] == mine.get("rank") for each in listed) > 1}


def _with_reasons(candidate: Candidate, transfer: Transfer, kept: dict[str, Any]) -> Candidate:
    """Add why a bill is suggested: the signs as decided, and the sum as it is now."""
    told = [words for words in in_words(kept.get("signs")) if words != AMOUNT_FITS]
    if not told:
        exact = candidate.reference in transfer.memo.upper().replace(" ", "")
        told.append(f"Mã {candidate.reference} đúng" if exact else f"Mã gần giống {candidate.reference}")
    if candidate.rest == transfer.amount:
        told.append(AMOUNT_FITS)
    elif not candidate.rest:
        told.append("Đã nộp đủ")
    return replace(candidate, reasons=tuple(told), equal=bool(kept["equal"]))


def _newest_matches(session: Session, school_id: UUID, transfers: list[UUID]) -> dict[UUID, Match]:
    rows = session.exec(
        select(Match).where(Match.school_id == school_id, col(Match.transfer_id).in_(transfers)).order_by(col(Match.id))
    ).all()
    return {row.transfer_id: row for row in rows}


def _step_reasons(session: Session, school_id: UUID, transfers: list[UUID]) -> dict[UUID, str]:
    rows = session.exec(
        select(TransferStep)
        .where(TransferStep.school_id == school_id, col(TransferStep.transfer_id).in_(transfers))
        .order_by(col(TransferStep.id))
    ).all()
    return {row.transfer_id: row.reason for row in rows}


def _candidates(session: Session, school_id: UUID, matches: dict[UUID, Match]) -> dict[str, Candidate]:
    """Return the suggested requests of this school by reference; those of others stay unseen."""
    wanted = {reference for match in matches.values() for reference in suggested(match)}
    rows = session.exec(
        select(PaymentRequest, Pupil)
        .join(Pupil, col(Pupil.id) == col(PaymentRequest.pupil_id))
        .where(PaymentRequest.school_id == school_id, col(PaymentRequest.reference).in_(wanted))
    ).all()
    rests = _rests(session, school_id, [request.id for request, _ in rows])
    classes = _classes(session, school_id, [request.id for request, _ in rows])
    return {
        request.reference: Candidate(
            request.reference,
            pupil.full_name,
            classes.get(request.id, ""),
            rests.get(request.id, ZERO),
            (),
            pupil_id=str(pupil.id),
        )
        for request, pupil in rows
    }


def _rests(session: Session, school_id: UUID, requests: list[UUID]) -> dict[UUID, Money]:
    balances = request_balances(session, school_id, requests)
    return {request_id: rest_of(bills) for request_id, bills in balances.items()}


def _classes(session: Session, school_id: UUID, requests: list[UUID]) -> dict[UUID, str]:
    rows = session.exec(
        select(PaymentRequestBill.request_id, ClassGroup.code)
        .join(Bill, col(Bill.id) == col(PaymentRequestBill.bill_id))
        .join(ClassGroup, col(ClassGroup.id) == col(Bill.class_id))
        .where(PaymentRequestBill.school_id == school_id, col(PaymentRequestBill.request_id).in_(requests))
    ).all()
    return dict(rows)
