"""Rows of reconciliation: feeds, the inbox, transfers with their states, matches, statements, the daily check."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from billing.money import Money
from billing.storage import (
    Row,
    identity_column,
    in_school,
    json_column,
    money_column,
    new_id,
    number_column,
    one_of,
    time_column,
)

# The closed list of design: what each means and which entry it makes is told in docs/transfer-states.md.
TRANSFER_STATES = (
    "new",
    "held",
    "waiting",
    "matched",
    "refunding",
    "refunded",
    "reversed",
    "ignored_out",
    "duplicate",
    "quarantined",
)
ALLOWED_STEPS = frozenset(
    {
        ("new", "held"),
        ("new", "waiting"),
        ("new", "matched"),
        ("new", "ignored_out"),
        ("new", "duplicate"),
        ("new", "quarantined"),
        ("held", "new"),
        ("held", "quarantined"),
        ("waiting", "matched"),
        ("waiting", "refunding"),
        ("waiting", "reversed"),
        ("waiting", "duplicate"),
        ("matched", "waiting"),
        ("matched", "refunding"),
        ("matched", "reversed"),
        ("reversed", "waiting"),
        ("refunding", "refunded"),
        ("refunding", "waiting"),
        ("refunding", "matched"),
        ("refunded", "refunding"),
        ("quarantined", "new"),
        ("ignored_out", "quarantined"),
    }
)
# Provider and scheme of feeds whose signature proves no amount (docs/callbacks.md): they hold large sums.
UNPROVEN_SCHEMES = (
    ("sepay", "apikey"),
    ("casso", "v1"),
    ("vietqrvn", "token"),
    ("vietqrvn", "bearer"),
    ("vietqrvn", "agency"),
    ("bidv", "checksum"),
    ("vietinbank", "rsa"),
    ("vietinbank", "rsa_one_way"),
    ("mb", "checksum"),
    ("pay2s", "bearer"),
)
PAYER_KINDS = ("person", "company", "wallet", "remittance", "unknown")
INBOX_OUTCOMES = ("normalised", "ignored", "quarantined")
MATCH_OUTCOMES = ("matched", "partial", "overpaid", "credited", "split", "suggested", "unmatched")


OPEN_KEY = "uq_feeds_open_key"


class Feed(Row, table=True):
    """A configured source of messages about one bank account. Its signature scheme is pinned here.

    ``path_hash`` is the SHA-256 of the unguessable part of the callback address. Two secrets are valid in a rotation.
    ``allowed_from`` lists the networks (CIDR) from which callbacks may come; empty allows every address.
    ``key_digest`` is the keyed digest of an API key that may be open at one feed only, over all schools.
    """

    __tablename__ = "feeds"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["bank_account_id"], "bank_accounts"),
        CheckConstraint("hold_above >= 0", name="limit_not_negative"),
        CheckConstraint(
            f"hold_above IS NOT NULL OR (provider, scheme) NOT IN ({', '.join(map(str, UNPROVEN_SCHEMES))})",
            name="unproven_has_limit",
        ),
        Index(
            OPEN_KEY,
            "key_digest",
            unique=True,
            postgresql_where=text("key_digest IS NOT NULL AND closed_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    bank_account_id: UUID
    provider: str = Field(max_length=20)
    scheme: str = Field(max_length=20)
    path_hash: bytes = Field(unique=True, sa_type=LargeBinary)
    secret_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    previous_secret_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    key_digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    hold_above: Money | None = money_column(nullable=True)
    allowed_from: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    opened_at: datetime = time_column()
    closed_at: datetime | None = time_column(nullable=True)


class InboxMessage(Row, table=True):
    """A raw message about money, stored once before it is answered: (feed, SHA-256 of the raw body) is the key.

    No school policy: the door that writes it knows only the feed. The body is sealed, byte for byte.
    """

    __tablename__ = "inbox"
    __table_args__ = (UniqueConstraint("feed_id", "digest"),)

    id: int | None = identity_column()
    feed_id: UUID = Field(foreign_key="feeds.id")
    digest: bytes = Field(sa_type=LargeBinary)
    body_sealed: bytes = Field(sa_type=LargeBinary)
    headers: dict[str, Any] = json_column()
    received_at: datetime = time_column()


class InboxResult(Row, table=True):
    """What became of an inbox message. Work is found by the absence of this row (no school policy, as the inbox)."""

    __tablename__ = "inbox_results"
    __table_args__ = (
        one_of("outcome", INBOX_OUTCOMES),
        Index("ix_inbox_results_quarantined", "inbox_id", postgresql_where=text("outcome = 'quarantined'")),
    )

    inbox_id: int = Field(sa_column=Column(BigInteger, ForeignKey("inbox.id"), primary_key=True))
    outcome: str
    reason: str = ""
    transfers: int = 0
    duplicates: int = 0
    at: datetime = time_column()


class InboxSeen(Row, table=True):
    """A person has seen a message that was put aside, and says what became of it; it is told no more."""

    __tablename__ = "inbox_seen"
    __table_args__ = (CheckConstraint("reason <> ''", name="reason_given"),)

    inbox_id: int = Field(sa_column=Column(BigInteger, ForeignKey("inbox.id"), primary_key=True))
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str
    seen_by: UUID
    at: datetime = time_column()


class Transfer(Row, table=True):
    """One movement of money on a school's account, from whichever feed came first.

    Everything but ``state`` is written once; the database allows only the listed steps. Payer name and account are
    sealed, found by a blind index; ``payer_kind`` tells whether the account may be remembered. ``occurred_at`` is the
    bank's moment in UTC, ``value_date`` its day in Viet Nam. ``bank_number`` is the bank's own reference in upper case,
    its letters and digits alone.
    """

    __tablename__ = "transfers"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("provider", "bank_account_id", "provider_id"),
        in_school(["bank_account_id"], "bank_accounts"),
        one_of("direction", ("in", "out")),
        one_of("state", TRANSFER_STATES),
        one_of("payer_kind", PAYER_KINDS),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("ix_transfers_account_day", "school_id", "bank_account_id", "value_date"),
        Index(
            "ix_transfers_number",
            "bank_account_id",
            "bank_number",
            postgresql_where=text("bank_number IS NOT NULL"),
        ),
        Index(
            "ix_transfers_of_statements",
            "bank_account_id",
            "amount",
            "value_date",
            postgresql_where=text("provider = 'statement'"),
        ),
        Index(
            "ix_transfers_open",
            "school_id",
            "id",
            postgresql_where=text("state IN ('new', 'held', 'waiting', 'refunding')"),
        ),
        Index(
            "ix_transfers_virtual_account",
            "school_id",
            "virtual_account",
            postgresql_where=text("virtual_account IS NOT NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    bank_account_id: UUID
    inbox_id: int = Field(sa_column=Column(BigInteger, ForeignKey("inbox.id"), nullable=False, index=True))
    provider: str = Field(max_length=20)
    provider_id: str = Field(max_length=120)
    direction: str
    amount: Money = money_column()
    memo: str
    virtual_account: str | None = Field(default=None, max_length=30)
    bank_reference: str | None = Field(default=None, max_length=80)
    # A column of its own: row-level security lets no index on an expression be used.
    bank_number: str | None = Field(default=None, max_length=80)
    payer_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    payer_blind: bytes | None = Field(default=None, sa_type=LargeBinary, index=True)
    payer_kind: str = Field(default="unknown", sa_column_kwargs={"server_default": "unknown"})
    occurred_at: datetime = time_column()
    value_date: date
    recorded_at: datetime = time_column()
    state: str = "new"


class TransferReference(Row, table=True):
    """A payment reference that stands in the memo of money in, exact and well-formed; ``alone`` if it is the only one.

    It says what the memo names, not what the money pays: that is the matcher's to decide.
    """

    __tablename__ = "transfer_references"
    __table_args__ = (in_school(["transfer_id"], "transfers"),)

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    reference: str = Field(max_length=11, primary_key=True)
    transfer_id: UUID = Field(primary_key=True)
    alone: bool


class TransferStep(Row, table=True):
    """One step of a transfer from state to state: when, by whom, why."""

    __tablename__ = "transfer_steps"
    __table_args__ = (
        in_school(["transfer_id"], "transfers"),
        Index("ix_transfer_steps_transfer", "school_id", "transfer_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    transfer_id: UUID
    from_state: str | None = None
    to_state: str
    reason: str = ""
    made_by: UUID | None = None
    at: datetime = time_column()


class Match(Row, table=True):
    """A decision about a transfer with its evidence; the newest counts. ``made_by`` is empty for the matcher."""

    __tablename__ = "matches"
    __table_args__ = (
        in_school(["transfer_id"], "transfers"),
        one_of("outcome", MATCH_OUTCOMES),
        Index("ix_matches_transfer", "school_id", "transfer_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    transfer_id: UUID
    outcome: str
    evidence: dict[str, Any] = json_column()
    made_by: UUID | None = None
    at: datetime = time_column()


class MatchingRule(Row, table=True):
    """Which weaker signs may suggest at a school (``weak_signs.Sign``), by whom, from when; the newest counts."""

    __tablename__ = "matching_rules"
    __table_args__ = (
        CheckConstraint(
            "suggest_by <@ ARRAY['corrected', 'phone', 'payer', 'name', 'amount', 'class']", name="signs_known"
        ),
        Index("ix_matching_rules_school", "school_id", "id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    suggest_by: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    made_by: UUID
    at: datetime = time_column()


class StatementFile(Row, table=True):
    """A bank's statement that was read in: its period and balances tie the book to the bank."""

    __tablename__ = "statement_files"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["bank_account_id"], "bank_accounts"),
        CheckConstraint("opening + money_in - money_out = closing", name="balances_add_up"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    bank_account_id: UUID
    inbox_id: int = Field(sa_column=Column(BigInteger, ForeignKey("inbox.id"), nullable=False, unique=True))
    first_day: date
    last_day: date
    opening: Money = money_column()
    money_in: Money = money_column()
    money_out: Money = money_column()
    closing: Money = money_column()
    read_by: UUID | None = None
    read_at: datetime = time_column()


class StatementLine(Row, table=True):
    """One line of a statement. Equal lines of one day are told apart by ``occurrence`` (1, 2, …): a multiset."""

    __tablename__ = "statement_lines"
    __table_args__ = (
        in_school(["file_id"], "statement_files"),
        in_school(["transfer_id"], "transfers"),
        UniqueConstraint("school_id", "file_id", "line"),
        one_of("direction", ("in", "out")),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("ix_statement_lines_transfer", "school_id", "transfer_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    file_id: UUID
    line: int
    day: date
    direction: str
    amount: Money = money_column()
    memo: str
    bank_reference: str | None = Field(default=None, max_length=80)
    occurrence: int
    transfer_id: UUID | None = None


class DailyCheck(Row, table=True):
    """Bank against book of one account on one day, as recorded at ``checked_at``; the difference must be 0."""

    __tablename__ = "daily_checks"
    __table_args__ = (
        in_school(["bank_account_id"], "bank_accounts"),
        CheckConstraint("bank_net - book_net = difference", name="difference_adds_up"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id", index=True)
    bank_account_id: UUID
    day: date
    bank_net: Money = money_column()
    book_net: Money = money_column()
    difference: Money = money_column()
    waiting_count: int = number_column()
    waiting_amount: Money = money_column()
    checked_at: datetime = time_column()
