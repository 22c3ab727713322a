"""Rows of what families choose themselves: an item open for registration, a guardian's choice, the school's refusal.

A choice is evidence, written once: who (by a proven contact), when, and the very words and price that were shown. What
it brought about is an ordinary dated registration (``opt_ins``), which alone decides what is charged.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from billing.money import Money
from billing.people.tables import CONTACT_KINDS
from billing.storage import Row, in_school, money_column, new_id, one_of, time_column

CHOICES = ("register", "end")


class ChoiceOffer(Row, table=True):
    """An item that families may register for until ``closes_on`` (that day included), served from ``first_day`` on.

    ``words``: what the school tells families of it. Closed once, by hand; the deadline closes it for families anyway.
    """

    __tablename__ = "choice_offers"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["item_id"], "fee_items"),
        CheckConstraint("words <> ''", name="said_what_for"),
        CheckConstraint("(closed_by IS NULL) = (closed_at IS NULL)", name="closed_by_a_person"),
        Index("uq_choice_offers_open", "school_id", "item_id", unique=True, postgresql_where=text("closed_at IS NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    item_id: UUID
    first_day: date
    closes_on: date
    words: str
    made_by: UUID
    made_at: datetime = time_column()
    closed_by: UUID | None = None
    closed_at: datetime | None = time_column(nullable=True)


class FamilyChoice(Row, table=True):
    """What a guardian chose for a child: *register* (from ``day`` on, of an offer) or *end* (``day`` is the last one).

    ``words`` are those that stood on the page, ``words_sha256`` their digest (UTF-8), ``session_hash`` the digest of
    the guardian's session, which a one-time code opened; the contact is kept masked.
    """

    __tablename__ = "family_choices"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["offer_id"], "choice_offers"),
        in_school(["item_id"], "fee_items"),
        in_school(["enrolment_id"], "enrolments"),
        one_of("kind", CHOICES),
        one_of("contact_kind", CONTACT_KINDS),
        CheckConstraint("(kind = 'register') = (offer_id IS NOT NULL AND price IS NOT NULL)", name="of_an_offer"),
        CheckConstraint("price > 0", name="price_above_zero"),
        CheckConstraint("octet_length(session_hash) = 32", name="session_is_a_digest"),
        CheckConstraint("words <> '' AND words_sha256 = sha256(convert_to(words, 'UTF8'))", name="words_as_digested"),
        Index("ix_family_choices_enrolment", "school_id", "enrolment_id"),
        Index("ix_family_choices_offer", "school_id", "offer_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    offer_id: UUID | None = None
    item_id: UUID
    enrolment_id: UUID
    kind: str
    day: date
    price: Money | None = money_column(nullable=True)
    guardian_id: UUID = Field(foreign_key="guardians.id")
    contact_kind: str
    contact_masked: str
    session_hash: bytes = Field(sa_type=LargeBinary)
    words: str
    words_sha256: bytes = Field(sa_type=LargeBinary)
    at: datetime = time_column()


class ChoiceRefusal(Row, table=True):
    """A registration that the school did not take, with the reason that the family reads."""

    __tablename__ = "choice_refusals"
    __table_args__ = (
        in_school(["choice_id"], "family_choices"),
        CheckConstraint("reason <> ''", name="reason_given"),
    )

    choice_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str
    made_by: UUID
    at: datetime = time_column()
