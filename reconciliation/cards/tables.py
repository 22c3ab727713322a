"""Rows of card payments: the switch, checkouts, what Stripe told, refunds, disputes, and payouts tied to the bank.

All are written once; what came of a row is another row. A checkout's worth is the sum of its facts (``cards.facts``).
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, identity_column, in_school, money_column, new_id, number_column, one_of, time_column
from reconciliation.cards.facts import Kind


def _inbox_column() -> int:
    return Field(sa_column=Column(BigInteger, ForeignKey("inbox.id"), nullable=False))  # type: ignore[no-any-return]  # SQLModel's Field is typed Any


class CardSwitch(Row, table=True):
    """Somebody asks to take cards for the bills of an account, or to stop it."""

    __tablename__ = "card_switches"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["bank_account_id"], "bank_accounts"),
        CheckConstraint("reason <> ''", name="reason_given"),
        Index("ix_card_switches_account", "school_id", "bank_account_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    bank_account_id: UUID
    turned_on: bool
    reason: str
    asked_by: UUID
    asked_at: datetime = time_column()


class CardSwitchDecision(Row, table=True):
    """What another person decided about it; the newest approved one is in force."""

    __tablename__ = "card_switch_decisions"
    __table_args__ = (
        in_school(["switch_id"], "card_switches"),
        CheckConstraint("approved OR reason <> ''", name="no_has_a_reason"),
    )

    switch_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()


class CardCheckout(Row, table=True):
    """A family wants to pay so much of a payment request by card; the idempotency key is made from ``id``."""

    __tablename__ = "card_checkouts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["request_id"], "payment_requests"),
        in_school(["bank_account_id"], "bank_accounts"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("ix_card_checkouts_request", "school_id", "request_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    request_id: UUID
    bank_account_id: UUID
    amount: Money = money_column()
    created_at: datetime = time_column()
    expires_at: datetime = time_column()


class CardSession(Row, table=True):
    """Stripe's page for a checkout."""

    __tablename__ = "card_sessions"
    __table_args__ = (in_school(["checkout_id"], "card_checkouts"), UniqueConstraint("school_id", "session_id"))

    checkout_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    session_id: str = Field(max_length=255)
    url: str
    at: datetime = time_column()


class CardEnd(Row, table=True):
    """A checkout whose page closed without a payment."""

    __tablename__ = "card_ends"
    __table_args__ = (in_school(["checkout_id"], "card_checkouts"),)

    checkout_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    at: datetime = time_column()


class CardFact(Row, table=True):
    """Something that happened to money, as Stripe told it; ``(kind, stripe_id)`` is told once."""

    __tablename__ = "card_facts"
    __table_args__ = (
        UniqueConstraint("school_id", "kind", "stripe_id"),
        UniqueConstraint("school_id", "checkout_id"),
        in_school(["bank_account_id"], "bank_accounts"),
        in_school(["checkout_id"], "card_checkouts"),
        one_of("kind", tuple(kind.value for kind in Kind)),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("(kind = 'paid') = (checkout_id IS NOT NULL)", name="paid_names_its_checkout"),
        Index("ix_card_facts_intent", "school_id", "intent_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    bank_account_id: UUID
    kind: str
    stripe_id: str = Field(max_length=255)
    intent_id: str = Field(default="", max_length=255)
    checkout_id: UUID | None = None
    amount: Money = money_column()
    occurred_at: datetime = time_column()
    value_date: date
    inbox_id: int = _inbox_column()
    recorded_at: datetime = time_column()
    note: str = Field(default="", max_length=200)


class CardDispute(Row, table=True):
    """How a dispute stood when Stripe told of it; each status once."""

    __tablename__ = "card_disputes"
    __table_args__ = (
        UniqueConstraint("school_id", "dispute_id", "status"),
        Index("ix_card_disputes_intent", "school_id", "intent_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    dispute_id: str = Field(max_length=255)
    intent_id: str = Field(max_length=255)
    status: str = Field(max_length=60)
    reason: str = Field(max_length=60)
    amount: Money = money_column()
    due_by: datetime | None = time_column(nullable=True)
    told_at: datetime = time_column()
    inbox_id: int = _inbox_column()


class CardRefund(Row, table=True):
    """Somebody asks to give money back to the card."""

    __tablename__ = "card_refunds"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["checkout_id"], "card_checkouts"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("reason <> ''", name="reason_given"),
        Index("ix_card_refunds_checkout", "school_id", "checkout_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    checkout_id: UUID
    amount: Money = money_column()
    reason: str
    asked_by: UUID
    asked_at: datetime = time_column()


class CardRefundDecision(Row, table=True):
    """What another person decided about a refund; whoever asked may only take it back."""

    __tablename__ = "card_refund_decisions"
    __table_args__ = (
        in_school(["refund_id"], "card_refunds"),
        CheckConstraint("approved OR reason <> ''", name="no_has_a_reason"),
    )

    refund_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()


class CardRefundAnswer(Row, table=True):
    """What Stripe answered to an approved refund: its id there, or why it was refused."""

    __tablename__ = "card_refund_answers"
    __table_args__ = (
        in_school(["refund_id"], "card_refunds"),
        CheckConstraint("(stripe_id <> '') <> (refused <> '')", name="taken_or_refused"),
    )

    refund_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    stripe_id: str = Field(default="", max_length=255)
    refused: str = ""
    at: datetime = time_column()


class CardLoss(Row, table=True):
    """What was taken for a checkout beyond all that it brought, written as a cost.

    ``grows`` is false where some of it came back: a checkout's loss is the sum of its rows.
    """

    __tablename__ = "card_losses"
    __table_args__ = (
        in_school(["checkout_id"], "card_checkouts"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("ix_card_losses_checkout", "school_id", "checkout_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    checkout_id: UUID
    amount: Money = money_column()
    grows: bool
    entry_id: int = number_column()
    at: datetime = time_column()


class CardBalance(Row, table=True):
    """What Stripe said it holds for an account, at the moment it was asked; below 0 when Stripe is owed.

    ``others`` are the other currencies that it named, such as ``sgd usd``: it does not settle in đồng alone.
    """

    __tablename__ = "card_balances"
    __table_args__ = (
        in_school(["bank_account_id"], "bank_accounts"),
        Index("ix_card_balances_account", "school_id", "bank_account_id", "at"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    bank_account_id: UUID
    amount: Money = money_column()
    others: str = ""
    at: datetime = time_column()


ACT_KINDS = ("tie", "untie", "explain", "opening", "top_up", "tie_several", "end_page")


class CardAct(Row, table=True):
    """What one person asks for and another decides: tie payouts, undo a tie, say what other money is, end a page.

    *explain*: a movement is a cost. *top_up*: a movement is the school's own money, which waits for the bank's money
    out. *opening*: Stripe held so much before we heard of it. ``subject`` is the payout's id at Stripe, the movement's,
    or for an opening our account's; ``transfer_id`` the bank's transfer of a tie; ``amount`` the sum of an opening.
    *tie_several*: one payout came in several transfers, or several in one, as ``CardActPart`` names them; ``subject``
    is the one payout or transfer. *end_page*: nothing more is to be heard of a page; ``subject`` is Stripe's id of it.
    """

    __tablename__ = "card_acts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["transfer_id"], "transfers"),
        one_of("kind", ACT_KINDS),
        CheckConstraint("reason <> ''", name="reason_given"),
        CheckConstraint("(kind IN ('tie', 'untie')) = (transfer_id IS NOT NULL)", name="names_its_transfer"),
        CheckConstraint("(kind = 'opening') = (amount IS NOT NULL)", name="opening_has_its_sum"),
        Index("ix_card_acts_transfer", "school_id", "transfer_id"),
        Index("ix_card_acts_subject", "school_id", "subject"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    kind: str
    subject: str = Field(max_length=255)
    transfer_id: UUID | None = None
    amount: Money | None = money_column(nullable=True)
    reason: str
    asked_by: UUID
    asked_at: datetime = time_column()


class CardActPart(Row, table=True):
    """A payout and a transfer that *tie_several* is about; all of one act fit to the đồng."""

    __tablename__ = "card_act_parts"
    __table_args__ = (
        in_school(["act_id"], "card_acts"),
        in_school(["transfer_id"], "transfers"),
        Index("ix_card_act_parts_transfer", "school_id", "transfer_id"),
    )

    act_id: UUID = Field(primary_key=True)
    payout_id: str = Field(primary_key=True, max_length=255)
    transfer_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")


class CardActDecision(Row, table=True):
    """What another person decided about an act; whoever asked may only take it back."""

    __tablename__ = "card_act_decisions"
    __table_args__ = (
        in_school(["act_id"], "card_acts"),
        CheckConstraint("approved OR reason <> ''", name="no_has_a_reason"),
    )

    act_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()


class CardPayoutTie(Row, table=True):
    """The bank's transfer that brought a payout; ``made_by`` is empty where the rule tied them.

    The database lets one tie of a payout, and of a transfer, stand at a time: one without an end. Several stand where
    an act of two people names them all (``act_id``); each is then for the smaller sum of the two.
    """

    __tablename__ = "card_payout_ties"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["transfer_id"], "transfers"),
        in_school(["entry_id"], "journal_entries"),
        in_school(["act_id"], "card_acts"),
        Index("ix_card_payout_ties_payout", "school_id", "payout_id"),
        Index("ix_card_payout_ties_transfer", "school_id", "transfer_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    payout_id: str = Field(max_length=255)
    transfer_id: UUID
    entry_id: int = number_column()
    made_by: UUID | None = None
    act_id: UUID | None = None
    at: datetime = time_column()


class CardPayoutEnd(Row, table=True):
    """That a tie was undone by two people, with the entry that reverses it; the transfer waits again."""

    __tablename__ = "card_payout_ends"
    __table_args__ = (
        in_school(["tie_id"], "card_payout_ties"),
        in_school(["act_id"], "card_acts"),
        in_school(["entry_id"], "journal_entries"),
    )

    tie_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    act_id: UUID
    entry_id: int = number_column()
    at: datetime = time_column()


class CardOpening(Row, table=True):
    """What Stripe held for an account before anything we heard of, below 0 what it was owed; agreed to by two."""

    __tablename__ = "card_openings"
    __table_args__ = (
        in_school(["act_id"], "card_acts"),
        in_school(["bank_account_id"], "bank_accounts"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        Index("ix_card_openings_account", "school_id", "bank_account_id"),
    )

    act_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    bank_account_id: UUID
    amount: Money = money_column()
    entry_id: int = number_column()
    at: datetime = time_column()
