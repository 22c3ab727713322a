"""One settling at a time for each pupil: who decides has seen what was decided just before."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, func, select, text, union
from sqlmodel import Session, col

from billing.errors import Refused
from billing.payments import reference
from billing.payments.tables import PaymentRequest, VirtualAccount
from reconciliation.tables import Transfer

ALWAYS_HELD = 1_000  # locks; a split of five hundred fits into any server
_HALF_OF_ALL_LOCKS = text("""
    SELECT current_setting('max_locks_per_transaction')::int
           * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) / 2
""")
_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(n.name, 0)) FROM unnest(CAST(:names AS text[])) n (name)")


def hold_pupils(session: Session, transfer: Transfer) -> None:
    """Lock, until the transaction ends, the pupils whom a transfer names by reference or virtual account.

    Without it two halves of one sum, decided at one moment, are both called *partial*: each still sees the whole due.
    The pupils are locked in the order of their ids, so that two transfers for several never wait in a circle.
    """
    asked: Select[Any] = select(col(PaymentRequest.pupil_id).label("pupil")).where(
        col(PaymentRequest.school_id) == transfer.school_id
    )
    ways = [asked.where(col(PaymentRequest.reference).in_(reference.exact(transfer.memo)))]
    if transfer.virtual_account:
        given: Select[Any] = select(col(VirtualAccount.pupil_id).label("pupil")).where(
            col(VirtualAccount.school_id) == transfer.school_id,
            col(VirtualAccount.number) == transfer.virtual_account,
        )
        ways += [asked.where(col(PaymentRequest.virtual_account) == transfer.virtual_account), given]
    named = union(*ways).subquery()  # each once
    ordered = select(named.c.pupil).where(named.c.pupil.is_not(None)).order_by(named.c.pupil).subquery()
    key = func.hashtextextended("settle " + cast(ordered.c.pupil, Text), 0)
    session.execute(select(func.pg_advisory_xact_lock(key)).select_from(ordered))


def hold_named(session: Session, pupils: Collection[UUID]) -> None:
    """Lock some pupils as ``hold_pupils`` does, in the same order; several transfers at once take them together."""
    refuse_too_many(session, len(pupils))
    # Sorted here: what an array holds is taken in its order.
    names = [f"settle {pupil}" for pupil in sorted(pupils)]
    session.execute(_HOLD, {"names": names})


def refuse_too_many(session: Session, wanted: int) -> None:
    """Raise ``Refused`` when so many locks would take more than half of the place that all sessions share for them.

    Were it full, whoever asks for a lock next would fail, anywhere in the database.
    """
    if wanted <= ALWAYS_HELD:
        return
    most: int = session.execute(_HALF_OF_ALL_LOCKS).scalar_one()
    if wanted > most:
        raise Refused(
            f"Việc này phải giữ {wanted} học sinh và thông báo thu cùng lúc; máy chủ giữ được {most}. Chưa ghi gì. "
            "Hãy nhờ người quản trị máy chủ tăng max_locks_per_transaction của PostgreSQL rồi làm lại."
        )
