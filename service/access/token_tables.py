"""Rows of the API's access: a person's tokens for one school, and answers kept for requests that are sent again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary
from sqlmodel import Field

from billing.storage import Row, new_id, time_column


class ApiToken(Row, table=True):
    """A person's token for programs: acts as that person at one school, until it ends or is revoked.

    Only the SHA-256 of the token is stored; ``read_only`` lets it change nothing. The operator revokes without
    being a person (``revoked_by`` empty).
    """

    __tablename__ = "api_tokens"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="hash_of_32_bytes"),
        CheckConstraint("expires_at > made_at", name="ends_later"),
        CheckConstraint("revoked_by IS NULL OR revoked_at IS NOT NULL", name="revoked_by_a_person"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    token_hash: bytes = Field(unique=True, sa_type=LargeBinary)
    user_id: UUID = Field(foreign_key="users.id", index=True)
    school_id: UUID = Field(foreign_key="schools.id")
    name: str = Field(max_length=80)
    read_only: bool
    made_at: datetime = time_column()
    expires_at: datetime = time_column()
    seen_at: datetime | None = time_column(nullable=True)
    revoked_at: datetime | None = time_column(nullable=True)
    revoked_by: UUID | None = Field(default=None, foreign_key="users.id")


class ApiAnswer(Row, table=True):
    """The answer to a request that carried an ``Idempotency-Key``, sealed; written in the transaction of its deed.

    A key may be used anew after a day: then the row is written over.
    """

    __tablename__ = "api_answers"

    token_id: UUID = Field(foreign_key="api_tokens.id", primary_key=True)
    key: str = Field(max_length=100, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    request_digest: bytes = Field(sa_type=LargeBinary)
    status: int | None = None
    answer_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    made_at: datetime = time_column()
