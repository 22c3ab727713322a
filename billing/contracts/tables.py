"""Rows of contracts of private schools: dated versions, who agreed to which, what followed, releases, late charges.

A contract owns no sum. The deposit is a bill like any other, a prepaid term a line of one, and what is still to be
earned of it the balance of a deferred account in the book.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from billing.money import Money
from billing.people.tables import CONTACT_KINDS
from billing.plans.papers import MOST_BYTES
from billing.plans.tables import MEDIA_TYPES
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

PLAN_KINDS = ("month", "quarter", "half", "year")
STEP_KINDS = ("agreed", "enrolled", "declined", "withdrawn")
WAYS = ("paper", "code")


class ContractVersion(Row, table=True):
    """A school's contract as it holds from a day on: its text, and its terms as ``terms.as_json`` writes them."""

    __tablename__ = "contract_versions"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "code"),
        CheckConstraint("title <> '' AND body <> ''", name="has_words"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    code: str = Field(max_length=20)
    title: str
    body: str
    terms: dict[str, Any] = json_column()
    valid_from: date
    made_by: UUID
    made_at: datetime = time_column()


class ContractApproval(Row, table=True):
    """That another person approved a version; only then families may agree to it."""

    __tablename__ = "contract_approvals"
    __table_args__ = (in_school(["version_id"], "contract_versions"),)

    version_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved_by: UUID
    at: datetime = time_column()


class Contract(Row, table=True):
    """One child's contract of one school year: which version, how it is paid, and when school begins for it."""

    __tablename__ = "contracts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "number"),
        in_school(["version_id"], "contract_versions"),
        in_school(["bank_account_id"], "bank_accounts"),
        one_of("plan", PLAN_KINDS),
        CheckConstraint("months BETWEEN 1 AND 12", name="months_of_a_year"),
        Index("ix_contracts_pupil", "school_id", "pupil_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    version_id: UUID
    pupil_id: UUID = Field(foreign_key="pupils.id")
    number: str = Field(max_length=30)
    school_year: str = Field(max_length=9)
    plan: str
    starts_on: date
    months: int
    bank_account_id: UUID
    made_by: UUID
    made_at: datetime = time_column()


class ContractPaper(Row, table=True):
    """A file that proves a step of a contract: the signed contract, the family's letter. Kept as it came."""

    __tablename__ = "contract_papers"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["contract_id"], "contracts"),
        one_of("media_type", MEDIA_TYPES),
        CheckConstraint(f"octet_length(content) BETWEEN 1 AND {MOST_BYTES}", name="content_in_bounds"),
        CheckConstraint("sha256 = sha256(content)", name="content_as_digested"),
        Index("ix_contract_papers_contract", "school_id", "contract_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    contract_id: UUID
    name: str = Field(max_length=200)
    media_type: str
    sha256: bytes = Field(sa_type=LargeBinary)
    content: bytes = Field(sa_type=LargeBinary)
    made_by: UUID
    made_at: datetime = time_column()


class ContractStep(Row, table=True):
    """What followed of a contract; ``turn`` counts, the database allows the next step only.

    *agreed* on ``day`` by ``way`` (``paper_id`` on paper), with ``bill_id`` of the deposit if there is one; *enrolled*
    as ``enrolment_id``; *declined*: the child does not come; *withdrawn*: it left after ``day``. ``facts`` are the sums
    that were shown and agreed to, in đồng, and ``corrections`` the ids of those asked for.
    ``made_by`` entered it; nobody where a guardian agreed with a code, see ``ContractAgreement``.
    """

    __tablename__ = "contract_steps"
    __table_args__ = (
        UniqueConstraint("school_id", "contract_id", "turn"),
        in_school(["contract_id"], "contracts"),
        in_school(["paper_id"], "contract_papers"),
        in_school(["bill_id"], "bills"),
        in_school(["enrolment_id"], "enrolments"),
        in_school(["entry_id"], "journal_entries"),
        one_of("kind", STEP_KINDS),
        one_of("way", ("", *WAYS)),
        CheckConstraint("turn > 0", name="turn_counts"),
        CheckConstraint("(kind = 'agreed') = (way <> '')", name="agreed_in_a_way"),
        CheckConstraint("(way = 'paper') = (paper_id IS NOT NULL)", name="paper_is_kept"),
        CheckConstraint("kind NOT IN ('declined', 'withdrawn') OR reason <> ''", name="reason_given"),
        CheckConstraint("kind <> 'enrolled' OR enrolment_id IS NOT NULL", name="enrolled_as"),
        CheckConstraint("(way = 'code') = (made_by IS NULL)", name="by_a_person_or_a_code"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    contract_id: UUID
    turn: int
    kind: str
    day: date
    way: str = ""
    reason: str = ""
    paper_id: UUID | None = None
    bill_id: UUID | None = None
    enrolment_id: UUID | None = None
    entry_id: int | None = number_column(nullable=True)
    facts: dict[str, Any] = json_column()
    made_by: UUID | None = None
    at: datetime = time_column()


class ContractAgreement(Row, table=True):
    """What a guardian agreed to with a one-time code: the very words that stood on the page, and of which version.

    ``words_sha256`` is their digest (UTF-8), ``code_id`` the used code, which was asked for on a link of this contract;
    the contact is kept masked. The database compares all of it (migration 0031).
    """

    __tablename__ = "contract_agreements"
    __table_args__ = (
        UniqueConstraint("school_id", "code_id"),
        in_school(["contract_id"], "contracts"),
        in_school(["version_id"], "contract_versions"),
        one_of("contact_kind", CONTACT_KINDS),
        CheckConstraint("words <> '' AND words_sha256 = sha256(convert_to(words, 'UTF8'))", name="words_as_digested"),
    )

    contract_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    version_id: UUID
    guardian_id: UUID = Field(foreign_key="guardians.id")
    contact_kind: str
    contact_masked: str
    code_id: UUID
    words: str
    words_sha256: bytes = Field(sa_type=LargeBinary)
    at: datetime = time_column()


class IncomeRelease(Row, table=True):
    """Income of a prepaid line that became the school's in a month; below zero where too much was released before."""

    __tablename__ = "income_releases"
    __table_args__ = (
        UniqueConstraint("school_id", "line_id", "turn"),
        UniqueConstraint("school_id", "entry_id"),
        in_school(["line_id"], "bill_lines"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("amount <> 0", name="something_released"),
        CheckConstraint("extract(day FROM month) = 1", name="month_by_its_first_day"),
        Index("ix_income_releases_month", "school_id", "month"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    line_id: int = number_column()
    turn: int
    month: date
    amount: Money = money_column()
    entry_id: int = number_column()
    made_by: UUID | None = None
    at: datetime = time_column()


class IncomeClosing(Row, table=True):
    """That the prepaid months of a school were closed for a month that is over; a month without this row is to be."""

    __tablename__ = "income_closings"
    __table_args__ = (
        CheckConstraint("extract(day FROM month) = 1", name="month_by_its_first_day"),
        CheckConstraint("lines >= 0", name="lines_counted"),
    )

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    month: date = Field(primary_key=True)
    lines: int
    amount: Money = money_column()
    at: datetime = time_column()


class LateCharge(Row, table=True):
    """That a late bill bears a charge by its contract; it is billed as a registration of the next round."""

    __tablename__ = "late_charges"
    __table_args__ = (
        in_school(["contract_id"], "contracts"),
        in_school(["bill_id"], "bills"),
        CheckConstraint("months > 0 AND amount > 0", name="something_charged"),
        CheckConstraint("mod(amount, 1000) = 0 AND amount <= 1000000", name="whole_thousands"),
        CheckConstraint("extract(day FROM month) = 1", name="month_by_its_first_day"),
        Index("ix_late_charges_bill", "school_id", "bill_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    contract_id: UUID
    bill_id: UUID
    months: int
    amount: Money = money_column()
    month: date
    made_by: UUID
    at: datetime = time_column()
