"""Rows of what money out was for, and of how such a row was taken back. Both are written once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, in_school, money_column, new_id, number_column, one_of, time_column

KINDS = ("treasury", "insurance", "purchase", "refund", "fee", "returned", "reversed", "card", "cash")
_TIES = {
    "insurance_payout_id": "insurance_payouts",
    "refund_line_id": "refund_lines",
    "payout_id": "payouts",
    "leg_id": "transfers",
    "card_act_id": "card_acts",
    "cash_withdrawal_id": "cash_withdrawals",
}


class MoneyOut(Row, table=True):
    """What money out, or a part of it, was for; the parts of a transfer never exceed it.

    *treasury*: to another account of the school; ``leg_id`` is the money in there, or ``document`` names the paper
    where no bank tells of that account. *insurance*: an approved payout to the insurer, whose own entry stands on 1388
    already, so there is none here. *purchase*: for ``item_code``, by ``document``. *refund*: an approved line of a
    refund, or support paid out to a family. *fee*: the bank's. *returned*: the bank brought it back,
    ``leg_id`` is that money in. *reversed*: the bank took back what it
    had told of, ``leg_id``. *card*: to Stripe, where it came as a movement that two people took for the school's own
    (``card_act_id``). *cash*: fetched to the till, ``cash_withdrawal_id``. A tied row bears
    the whole sum of what it is tied to.
    """

    __tablename__ = "money_out"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["transfer_id"], "transfers"),
        *(in_school([column], table) for column, table in _TIES.items()),
        in_school(["entry_id"], "journal_entries"),
        ForeignKeyConstraint(["school_id", "item_code"], ["fee_items.school_id", "fee_items.code"]),
        one_of("kind", KINDS),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("reason <> ''", name="reason_given"),
        CheckConstraint("(kind = 'insurance') = (insurance_payout_id IS NOT NULL)", name="insurance_is_tied"),
        CheckConstraint(
            "num_nonnulls(refund_line_id, payout_id) = CASE WHEN kind = 'refund' THEN 1 ELSE 0 END",
            name="refund_is_tied",
        ),
        CheckConstraint(
            "CASE WHEN kind = 'treasury' THEN (leg_id IS NULL) = (document <> '')"
            " WHEN kind IN ('returned', 'reversed') THEN leg_id IS NOT NULL ELSE leg_id IS NULL END",
            name="treasury_by_leg_or_document",
        ),
        CheckConstraint(
            "(kind = 'purchase') = (item_code IS NOT NULL) AND (kind <> 'purchase' OR document <> '')",
            name="purchase_has_item_and_document",
        ),
        CheckConstraint("(kind = 'insurance') = (entry_id IS NULL)", name="posted_once"),
        CheckConstraint("(kind = 'card') = (card_act_id IS NOT NULL)", name="card_is_tied"),
        CheckConstraint("(kind = 'cash') = (cash_withdrawal_id IS NOT NULL)", name="cash_is_tied"),
        Index("ix_money_out_transfer", "school_id", "transfer_id"),
        *(
            Index(
                f"ix_money_out_{column.removesuffix('_id')}",
                "school_id",
                column,
                postgresql_where=text(f"{column} IS NOT NULL"),
            )
            for column in _TIES
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    transfer_id: UUID
    kind: str
    amount: Money = money_column()
    item_code: str | None = Field(default=None, max_length=40)
    document: str = Field(default="", max_length=80)
    insurance_payout_id: UUID | None = None
    refund_line_id: UUID | None = None
    payout_id: UUID | None = None
    leg_id: UUID | None = None
    card_act_id: UUID | None = None
    cash_withdrawal_id: UUID | None = None
    reason: str
    entry_id: int | None = number_column(nullable=True)
    made_by: UUID
    at: datetime = time_column()


class MoneyOutEnd(Row, table=True):
    """That a purpose was taken back, by a reversing entry where it had one; it is written anew as another row."""

    __tablename__ = "money_out_ends"
    __table_args__ = (
        in_school(["purpose_id"], "money_out"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("reason <> ''", name="reason_given"),
    )

    purpose_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str
    entry_id: int | None = number_column(nullable=True)
    made_by: UUID
    at: datetime = time_column()
