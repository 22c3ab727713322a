"""Row that says that a further feed told of a transfer, so that what only one feed told is found."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKey
from sqlmodel import Field

from billing.storage import Row, in_school, time_column


class TransferTelling(Row, table=True):
    """A feed that told of a transfer after another feed did, under the same id: written once for each feed.

    The first feed is that of the transfer's own message; lines of statements name their transfer themselves.
    """

    __tablename__ = "transfer_tellings"
    __table_args__ = (in_school(["transfer_id"], "transfers"), in_school(["feed_id"], "feeds"))

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    transfer_id: UUID = Field(primary_key=True)
    feed_id: UUID = Field(primary_key=True)
    inbox_id: int = Field(sa_column=Column(BigInteger, ForeignKey("inbox.id"), nullable=False))
    at: datetime = time_column()
