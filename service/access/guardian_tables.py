"""Rows of guardians who prove a contact: one-time codes, their sessions, registration links, consents.

What a family enters about itself stays in ``registrations`` until the school says yes; only then does it become a
guardian with a contact. So nothing that reads guardians can take an unconfirmed one for a confirmed one.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, Uuid, text
from sqlmodel import Field

from billing.people.tables import CONTACT_KINDS
from billing.storage import Row, identity_column, in_school, new_id, number_column, one_of, time_column

CODE_PURPOSES = ("explain", "register", "agree")
VERDICTS = ("accepted", "refused")
CONSENT_ACTIONS = ("given", "withdrawn")


class GuardianCode(Row, table=True):
    """A one-time code, bound to one link and one contact. Only its keyed digest is stored.

    ``about_sealed``: what a family typed into the registration form, until the code is used or replaced.
    """

    __tablename__ = "guardian_codes"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        one_of("purpose", CODE_PURPOSES),
        one_of("contact_kind", CONTACT_KINDS),
        CheckConstraint("tries BETWEEN 0 AND 5", name="tries_in_range"),
        Index("ix_guardian_codes_contact", "contact_blind", "made_at"),
        Index("ix_guardian_codes_link", "link_hash", "made_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    purpose: str
    link_hash: bytes = Field(sa_type=LargeBinary)
    contact_kind: str
    contact_blind: bytes = Field(sa_type=LargeBinary)
    contact_masked: str
    about_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    digest: bytes = Field(sa_type=LargeBinary)
    made_at: datetime = time_column()
    expires_at: datetime = time_column()
    tries: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    used_at: datetime | None = time_column(nullable=True)


class GuardianSession(Row, table=True):
    """A contact proved with a code, and the guardians whom schools had bound to it. Only a digest is stored."""

    __tablename__ = "guardian_sessions"
    __table_args__ = (one_of("contact_kind", CONTACT_KINDS),)

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    contact_kind: str
    contact_blind: bytes = Field(sa_type=LargeBinary)
    guardian_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid()), nullable=False))
    created_at: datetime = time_column()
    expires_at: datetime = time_column()
    ended_at: datetime | None = time_column(nullable=True)


class RegistrationLink(Row, table=True):
    """The link printed on a child's slip: it opens a form and shows nothing of the child's bills."""

    __tablename__ = "registration_links"
    __table_args__ = (UniqueConstraint("school_id", "pupil_id", "version"),)

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    school_id: UUID = Field(foreign_key="schools.id")
    pupil_id: UUID = Field(foreign_key="pupils.id")
    version: int
    created_at: datetime = time_column()
    expires_at: datetime = time_column()
    revoked_at: datetime | None = time_column(nullable=True)


class ContractLink(Row, table=True):
    """The link with which a family reads one contract and agrees to it, until ``expires_at``; a newer one ends it.

    ``deposit_due``: the last day for the place deposit, as the page shows it. Only a digest of the token is stored.
    """

    __tablename__ = "contract_links"
    __table_args__ = (
        UniqueConstraint("school_id", "contract_id", "turn"),
        in_school(["contract_id"], "contracts"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    school_id: UUID = Field(foreign_key="schools.id")
    contract_id: UUID
    turn: int
    deposit_due: date
    made_by: UUID
    created_at: datetime = time_column()
    expires_at: datetime = time_column()
    revoked_at: datetime | None = time_column(nullable=True)


class Registration(Row, table=True):
    """Who asks to be told about a child, as entered by the family, with a contact proved by a code.

    Opens nothing and is told nothing until the school has accepted it. Name and contact are blanked when it refuses.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "code_id"),
        in_school(["code_id"], "guardian_codes"),
        one_of("kind", CONTACT_KINDS),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    pupil_id: UUID = Field(foreign_key="pupils.id", index=True)
    code_id: UUID
    full_name: str
    relation: str
    kind: str
    sealed: bytes = Field(sa_type=LargeBinary)
    blind: bytes = Field(sa_type=LargeBinary)
    masked: str
    made_at: datetime = time_column()


class RegistrationDecision(Row, table=True):
    """What the school said to a registration, written once."""

    __tablename__ = "registration_decisions"
    __table_args__ = (
        in_school(["registration_id"], "registrations"),
        one_of("verdict", VERDICTS),
        CheckConstraint("(verdict = 'accepted') = (guardian_id IS NOT NULL)", name="accepted_has_guardian"),
    )

    registration_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    verdict: str
    reason: str = ""
    guardian_id: UUID | None = Field(default=None, foreign_key="guardians.id", index=True)
    decided_by: UUID = Field(foreign_key="users.id")
    at: datetime = time_column()


class Consent(Row, table=True):
    """What somebody agreed to, in which words, or took back. Written once: a withdrawal is a new row."""

    __tablename__ = "consents"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "withdraws_id"),
        in_school(["registration_id"], "registrations"),
        in_school(["withdraws_id"], "consents"),
        one_of("action", CONSENT_ACTIONS),
        CheckConstraint("(action = 'withdrawn') = (withdraws_id IS NOT NULL)", name="withdrawal_names_consent"),
        Index("ix_consents_registration", "school_id", "registration_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    registration_id: UUID
    action: str
    purpose: str = Field(max_length=40)
    version: str = Field(max_length=20)
    wording_digest: bytes = Field(sa_type=LargeBinary)
    withdraws_id: int | None = number_column(nullable=True)
    at: datetime = time_column()
