"""Rows of fees: what a school may charge (items, caps, prices) and what touches one pupil (reductions, opt-ins)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Integer, Text, UniqueConstraint, text
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, identity_column, in_school, money_column, new_id, one_of, time_column

ITEM_GROUPS = ("tuition", "service", "agreed", "pass_through", "donation")
UNITS = ("month", "meal_day", "hour", "day", "lesson", "km", "term", "year", "once")
PAYERS = ("family", "state", "school", "donor")
REDUCTION_KINDS = ("percent", "amount")
QUANTITY_RULES = ("fixed", "meal_days", "registered")
PART_MONTHS = ("whole", "half_from_16", "none_from_16")
CARRY_OVER_RULES = ("none", "same_item", "offset_round")
OPT_IN_SOURCES = ("office", "family", "contract")


class FeeItem(Row, table=True):
    """An item of a school's catalogue, under the name that the resolution gives it."""

    __tablename__ = "fee_items"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "code"),
        in_school(["bank_account_id"], "bank_accounts"),
        one_of("item_group", ITEM_GROUPS),
        one_of("unit", UNITS),
        one_of("payer", PAYERS),
        one_of("carry_over", CARRY_OVER_RULES),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    code: str = Field(max_length=40)
    legal_name: str
    item_group: str
    unit: str
    legal_basis: str
    revenue_account: str = Field(max_length=40)
    bank_account_id: UUID
    payer: str = "family"
    carry_over: str = "none"
    opt_in: bool = False
    position: int = 0
    valid_from: date
    valid_to: date | None = None


class FormerBasis(Row, table=True):
    """The legal basis that an item had until a moment; a bill names the one under which it was issued.

    The database refuses another basis on an item whose last one is not kept here (*former_basis_is_kept*).
    """

    __tablename__ = "former_bases"
    __table_args__ = (in_school(["item_id"], "fee_items"), Index("ix_former_bases_item", "school_id", "item_id"))

    id: int | None = identity_column()
    school_id: UUID
    item_id: UUID
    legal_basis: str
    until: datetime = time_column()


class FeeCap(Row, table=True):
    """The most a council's resolution allows (no school policy: it is public law of a province)."""

    __tablename__ = "fee_caps"
    __table_args__ = (
        UniqueConstraint("authority_id", "item_code", "level", "zone", "legacy_area", "unit", "valid_from"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        one_of("unit", UNITS),
    )

    id: int | None = identity_column()
    authority_id: UUID = Field(foreign_key="authorities.id")
    item_code: str = Field(max_length=40)
    level: str
    zone: str
    legacy_area: str
    unit: str
    amount: Money = money_column()
    max_rise_percent: int | None = None
    legal_basis: str
    valid_from: date
    valid_to: date | None = None


class FeePrice(Row, table=True):
    """The price of one unit of an item and how many units a period has, dated.

    ``quantity_rule``: *fixed* (``quantity`` units), *meal_days* (the days the pupil may eat), *registered* (what the
    family registered). Empty lists of levels, grades or classes mean all. What is due once is valid for one month.
    ``withdrawn_at``: replaced from its first day on, or entered by mistake; such a row charges nothing.
    """

    __tablename__ = "fee_prices"
    __table_args__ = (
        in_school(["item_id"], "fee_items"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        one_of("quantity_rule", QUANTITY_RULES),
        one_of("part_month", PART_MONTHS),
        Index("ix_fee_prices_item", "school_id", "item_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    item_id: UUID
    amount: Money = money_column()
    quantity_rule: str = "fixed"
    quantity: int = 1
    levels: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    grades: list[int] = Field(default_factory=list, sa_column=Column(ARRAY(Integer), nullable=False))
    class_codes: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    part_month: str = Field(default="whole", sa_column=Column(Text, nullable=False, server_default="whole"))
    valid_from: date
    valid_to: date | None = None
    withdrawn_at: datetime | None = time_column(nullable=True)


class Reduction(Row, table=True):
    """A dated reduction with its legal basis and who pays instead of the family.

    Of one enrolment, or (without one) a rule for every pupil of the school, such as a sibling discount. What one
    person entered counts once another has approved it. ``reason_class`` is the code of its kind.
    """

    __tablename__ = "reductions"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["enrolment_id"], "enrolments"),
        one_of("kind", REDUCTION_KINDS),
        one_of("payer", ("state", "school", "donor")),
        CheckConstraint("(kind = 'percent') = (percent IS NOT NULL)", name="percent_when_percent"),
        CheckConstraint("(kind = 'amount') = (amount IS NOT NULL)", name="amount_when_amount"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent_in_range"),
        CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name="two_people"),
        Index("ix_reductions_enrolment", "school_id", "enrolment_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    enrolment_id: UUID | None = None
    title: str
    item_codes: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    item_groups: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    from_sibling: int = 1
    kind: str
    percent: int | None = None
    amount: Money | None = money_column(nullable=True)
    payer: str
    reason_class: str
    legal_basis: str
    evidence: str = ""
    valid_from: date
    valid_to: date | None = None
    made_by: UUID | None = None
    approved_by: UUID | None = None
    withdrawn_at: datetime | None = time_column(nullable=True)


class OptIn(Row, table=True):
    """A family's registration for an agreed item (bus, boarding, breakfast), dated, with its evidence.

    ``source``: who has written it: the office (also when it carries on what another had written), the family itself,
    or a contract. Rules ask this and never read the evidence, which is for people.
    """

    __tablename__ = "opt_ins"
    __table_args__ = (
        one_of("source", OPT_IN_SOURCES),
        in_school(["enrolment_id"], "enrolments"),
        in_school(["item_id"], "fee_items"),
        Index(
            "uq_opt_ins_live",
            "school_id",
            "enrolment_id",
            "item_id",
            "valid_from",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    enrolment_id: UUID
    item_id: UUID
    quantity: int = 1
    evidence: str = ""
    source: str = Field(default="office", sa_column_kwargs={"server_default": "office"})
    valid_from: date
    valid_to: date | None = None
    withdrawn_at: datetime | None = time_column(nullable=True)


class OptOut(Row, table=True):
    """A family that is not charged an item for a while, since it pays for it another way, such as a year ahead."""

    __tablename__ = "opt_outs"
    __table_args__ = (
        in_school(["enrolment_id"], "enrolments"),
        in_school(["item_id"], "fee_items"),
        CheckConstraint("valid_to >= valid_from", name="dates_in_order"),
        CheckConstraint("evidence <> ''", name="evidence_given"),
        Index("ix_opt_outs_enrolment", "school_id", "enrolment_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    enrolment_id: UUID
    item_id: UUID
    evidence: str
    valid_from: date
    valid_to: date
    made_by: UUID
    at: datetime = time_column()
