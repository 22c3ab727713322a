"""What a statement says of held money: a line of the same movement lets it go, one of another sum speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.ledger.tables import BankAccount
from billing.payments.reference import fold_memo
from reconciliation.pairing import DAY_APART, TELLING_LENGTH, vouches
from reconciliation.releasing import distrust
from reconciliation.statements.knowing import told_of
from reconciliation.statements.lines import StatementLine
from reconciliation.tables import Transfer
from reconciliation.told_before import told_by
from reconciliation.transfers import ON_LINE, let_go


def vouch(
    session: Session, account: BankAccount, lines: Sequence[StatementLine], known: Mapping[int, UUID], now: datetime
) -> None:
    """Let go the held transfers that lines tell of for sure; distrust those whose bank reference has another sum.

    ``known`` are the transfers of lines by their places. A held transfer of which the statement says nothing that
    tells stays held: its line may come tomorrow.
    """
    tied = {transfer_id: lines[place] for place, transfer_id in known.items()}
    held = session.exec(
        select(Transfer)
        .where(
            Transfer.school_id == account.school_id,
            Transfer.bank_account_id == account.id,
            Transfer.state == "held",
        )
        .order_by(col(Transfer.id))
        .with_for_update()
    ).all()
    for transfer in held:
        line = tied.get(transfer.id)
        if line is not None:
            if vouches(told_of(line), told_by(transfer)):
                let_go(session, transfer, ON_LINE, now)
            continue
        other = _another_sum(transfer, lines)
        if other is not None:
            where = f"Sao kê dòng {other.line}, số bút toán {transfer.bank_reference}"
            distrust(session, transfer, f"{where}: {other.amount}, sổ ghi {transfer.amount}", now)


def _another_sum(transfer: Transfer, lines: Sequence[StatementLine]) -> StatementLine | None:
    """Return the line with the bank's own number of a transfer and another sum, around its day."""
    wanted = fold_memo(transfer.bank_reference or "")
    if len(wanted) < TELLING_LENGTH:
        return None
    return next(
        (
            line
            for line in lines
            if fold_memo(line.bank_reference or "") == wanted
            and line.direction.value == transfer.direction
            and line.amount != transfer.amount
            and abs(line.day - transfer.value_date) <= DAY_APART
        ),
        None,
    )
