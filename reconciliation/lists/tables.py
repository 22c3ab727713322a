"""Rows about feeds that are asked or watched: what was fetched, who was refused, and who lets held money go."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from billing.storage import Row, identity_column, in_school, new_id, number_column, one_of, time_column

POLL_KINDS = ("window", "day", "week", "span")
ASKED_FOR = ("let_go", "put_aside")
POLL_OUTCOMES = ("done", "failed")
REFUSALS = ("address", "signature")


class PollRequest(Row, table=True):
    """A person asks to compare whole days of a provider's list, both included, a month at most; answered by polls."""

    __tablename__ = "poll_requests"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["feed_id"], "feeds"),
        CheckConstraint("first_day <= last_day AND last_day - first_day < 31", name="a_month_at_most"),
        Index("ix_poll_requests_feed", "school_id", "feed_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    feed_id: UUID
    first_day: date
    last_day: date
    asked_by: UUID
    asked_at: datetime = time_column()


class Poll(Row, table=True):
    """One asking of a provider's list: the span, what came of it, and what was new in it. Written when it is over.

    ``window`` is the regular asking, ``day`` the comparison of a whole Vietnamese day on the next morning, ``week``
    that of the last seven on Sunday, ``span`` that of days a person asked for (``request_id``). ``listed`` counts rows
    of our account, ``fresh`` those that no feed had told of, ``odd`` those that cannot be read or tell other money than
    we know, ``unlisted`` (of whole days) what callbacks told and the list does not. Work is found by the absence of a
    row, so one that was killed in the middle is simply asked again.
    """

    __tablename__ = "polls"
    __table_args__ = (
        in_school(["feed_id"], "feeds"),
        one_of("kind", POLL_KINDS),
        one_of("outcome", POLL_OUTCOMES),
        CheckConstraint("first <= last", name="span_in_order"),
        CheckConstraint("outcome = 'done' OR reason <> ''", name="failure_has_a_reason"),
        CheckConstraint("(kind = 'span') = (request_id IS NOT NULL)", name="span_was_asked_for"),
        in_school(["request_id"], "poll_requests"),
        Index("ix_polls_request", "school_id", "request_id", postgresql_where=text("request_id IS NOT NULL")),
        Index("ix_polls_feed", "school_id", "feed_id", "kind", "ended_at"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    feed_id: UUID
    kind: str
    request_id: UUID | None = None
    first: datetime = time_column()
    last: datetime = time_column()
    outcome: str
    reason: str = ""
    pages: int = 0
    listed: int = 0
    fresh: int = 0
    odd: int = 0
    unlisted: int = 0
    began_at: datetime = time_column()
    ended_at: datetime = time_column()


class FeedRefusal(Row, table=True):
    """How often messages to a feed were refused on a day, and why: counted, nothing of them is kept."""

    __tablename__ = "feed_refusals"
    __table_args__ = (in_school(["feed_id"], "feeds"), one_of("reason", REFUSALS))

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    feed_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    count: int = number_column()


class TransferRelease(Row, table=True):
    """A person asks to let held money go, or to put aside what nobody confirms: why, and who; another decides.

    ``wanted``: *let_go* or *put_aside*.
    """

    __tablename__ = "transfer_releases"
    __table_args__ = (
        in_school(["transfer_id"], "transfers"),
        CheckConstraint("reason <> ''", name="reason_given"),
        one_of("wanted", ASKED_FOR),
        Index("ix_transfer_releases_transfer", "school_id", "transfer_id"),
        UniqueConstraint("school_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    transfer_id: UUID
    wanted: str = "let_go"
    reason: str
    made_by: UUID
    made_at: datetime = time_column()


class TransferReleaseDecision(Row, table=True):
    """What another person decided about money held or doubted; whoever asked may only take it back."""

    __tablename__ = "transfer_release_decisions"
    __table_args__ = (
        in_school(["release_id"], "transfer_releases"),
        CheckConstraint("approved OR reason <> ''", name="no_has_a_reason"),
    )

    release_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()
