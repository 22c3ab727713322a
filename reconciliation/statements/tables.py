"""Rows of statements on their way in: files between preview and confirming, layouts that people explained."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from billing.storage import Row, in_school, json_column, new_id, time_column


class StatementUpload(Row, table=True):
    """A file that somebody brought, sealed, from its preview until it is confirmed or a day has passed.

    ``digest`` is the SHA-256 of the bytes. ``body_sealed`` can only be forgotten (NULL), nothing else ever changes.
    """

    __tablename__ = "statement_uploads"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["bank_account_id"], "bank_accounts"),
        CheckConstraint("octet_length(digest) = 32", name="digest_is_sha256"),
        Index("ix_statement_uploads_kept", "school_id", "made_at", postgresql_where=text("body_sealed IS NOT NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    bank_account_id: UUID
    name: str = Field(max_length=200)
    digest: bytes = Field(sa_type=LargeBinary)
    body_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    made_by: UUID
    made_at: datetime = time_column()


class ExplainedLayout(Row, table=True):
    """What a person said of the columns under a heading row of a bank, for this school; the newest counts.

    ``heading`` holds the folded cells of the row, ``columns`` the place (from 0) of each column that tells something.
    """

    __tablename__ = "explained_layouts"
    __table_args__ = (
        CheckConstraint("bank_bin ~ '^[0-9]{6}$'", name="bin_six_digits"),
        Index("ix_explained_layouts_bank", "school_id", "bank_bin"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    bank_bin: str = Field(max_length=6)
    heading: list[str] = json_column()
    columns: dict[str, int] = json_column()
    made_by: UUID
    made_at: datetime = time_column()
