"""Making the bank's file of an approved refund, once for its open lines, and handing the same file out again."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.credits.paying_out import mark_sent, states_of
from billing.credits.receiving import refuse_replaced
from billing.credits.receiving_tables import RefundBatch, RefundBatchLine
from billing.credits.refunding import lines_of, payee_of
from billing.credits.tables import Refund, RefundLine
from billing.documents.bank_batch import BatchRow, batch_csv, batch_xlsx, memo_for
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.money import total
from billing.payments.banks import bank_by_bin
from billing.storage import among
from billing.vault import Vault

_VIET_NAM = timedelta(hours=7)
MOST_NAMED = 10  # lines that a refusal names one by one
XLSX_CONTEXT, CSV_CONTEXT = "refund_batches.xlsx", "refund_batches.csv"


def make_batch(  # noqa: PLR0913, PLR0917  of which refund, who says so, ordered on which day
    session: Session, vault: Vault, actor: Actor, refund: Refund, day: date, now: datetime
) -> RefundBatch:
    """Make the file of all bank lines of a refund that are to be paid, and write down that they were ordered.

    Raises ``Refused`` when none is open or one has no code (asked for before codes were given out), ``Conflict`` when a
    guardian's account was replaced since it was approved.
    """
    if actor.user_id is None:
        raise NotAllowed("Tệp chuyển tiền phải do một người có tên lập.")
    lines = _open_lines(session, refund)
    if not lines:
        raise Refused("Không có khoản chuyển khoản nào đang chờ chi trong đề nghị này.")
    refuse_replaced(session, vault, lines, (now + _VIET_NAM).date())
    turns = {line.id: mark_sent(session, line.id, actor, day, now).turn for line in lines}
    rows = [_row(vault, line) for line in lines]
    content = batch_csv(rows)
    batch = RefundBatch(
        school_id=refund.school_id,
        refund_id=refund.id,
        lines=len(rows),
        amount=total(row.amount for row in rows),
        xlsx_sealed=vault.seal_bytes(batch_xlsx(rows, now), XLSX_CONTEXT),
        csv_sealed=vault.seal_bytes(content, CSV_CONTEXT),
        sha256=hashlib.sha256(content).digest(),
        made_by=actor.user_id,
        made_at=now,
    )
    session.add(batch)
    session.flush()
    session.add_all(
        RefundBatchLine(school_id=refund.school_id, batch_id=batch.id, line_id=line, turn=turn)
        for line, turn in turns.items()
    )
    session.flush()
    _deed(session, actor, batch, "refund.batch.make", now)
    return batch


def batches_of(session: Session, refund: Refund) -> Sequence[RefundBatch]:
    """Return the files that were made of a refund, oldest first."""
    return session.exec(
        select(RefundBatch)
        .where(RefundBatch.school_id == refund.school_id, RefundBatch.refund_id == refund.id)
        .order_by(col(RefundBatch.made_at), col(RefundBatch.id))
    ).all()


def open_batch(  # noqa: PLR0913, PLR0917  which file, in which layout, who opens it
    session: Session, vault: Vault, actor: Actor, refund: Refund, batch_id: UUID, layout: str, now: datetime
) -> bytes:
    """Return a file byte for byte as it was made (``layout``: *xlsx* or *csv*); the opening is recorded.

    Raises ``Conflict``, naming the lines, when one of them is no longer ordered by this very file: whoever hands it to
    the bank would pay that line twice.
    """
    batch = next((each for each in batches_of(session, refund) if each.id == batch_id), None)
    if batch is None:
        raise NotFound("Không có tệp này trong đề nghị hoàn tiền.", batch=batch_id)
    _refuse_overtaken(session, batch)
    _deed(session, actor, batch, "refund.batch.open", now)
    if layout == "csv":
        return vault.open_bytes(batch.csv_sealed, CSV_CONTEXT)
    return vault.open_bytes(batch.xlsx_sealed, XLSX_CONTEXT)


def overtaken_lines(session: Session, school_id: UUID, batches: Sequence[RefundBatch]) -> dict[UUID, list[RefundLine]]:
    """Return the lines whose newest step is not the one by which a file ordered them, by file."""
    rows = session.exec(
        select(RefundBatchLine, RefundLine)
        .join(RefundLine, col(RefundLine.id) == RefundBatchLine.line_id)
        .where(
            RefundBatchLine.school_id == school_id,
            among(RefundBatchLine.batch_id, [batch.id for batch in batches]),
        )
        .order_by(col(RefundLine.id))
    ).all()
    states = states_of(session, school_id, {line.id for _, line in rows})
    found: dict[UUID, list[RefundLine]] = defaultdict(list)
    for filed, line in rows:
        step = states[line.id].step
        if step is None or step.turn != filed.turn:
            found[filed.batch_id].append(line)
    return found


def _refuse_overtaken(session: Session, batch: RefundBatch) -> None:
    lines = overtaken_lines(session, batch.school_id, [batch]).get(batch.id)
    if lines:
        named = "; ".join(f"{line.code} ({line.amount}, {line.account_masked})" for line in lines[:MOST_NAMED])
        more = f" và {len(lines) - MOST_NAMED} khoản khác" if len(lines) > MOST_NAMED else ""
        raise Conflict(
            f"Tệp này không dùng được nữa: {named}{more} đã hủy lệnh, rút lại hoặc lập vào tệp khác. Nộp tệp này cho "
            "ngân hàng là trả hai lần. Hãy lập tệp mới.",
            batch=batch.id,
        )


def _open_lines(session: Session, refund: Refund) -> list[RefundLine]:
    lines = [line for line in lines_of(session, refund) if line.way == "bank"]
    states = states_of(session, refund.school_id, [line.id for line in lines])
    return [line for line in lines if states[line.id].word == "approved"]


def _row(vault: Vault, line: RefundLine) -> BatchRow:
    payee = payee_of(vault, line)
    if line.code is None:
        raise Refused("Có khoản lập trước khi có mã hoàn tiền. Hãy ghi đã chuyển cho từng khoản đó trước.")
    bank = bank_by_bin(payee.bank_bin)
    return BatchRow(
        bank.short_name if bank else "", payee.bank_bin, payee.account, payee.name, line.amount, memo_for(line.code)
    )


def _deed(session: Session, actor: Actor, batch: RefundBatch, action: str, now: datetime) -> None:
    deed = Deed(batch.school_id, action, "refund_batch", str(batch.id))
    record_deed(session, actor, deed, now, lines=batch.lines, amount=batch.amount.dong, sha256=batch.sha256.hex())
