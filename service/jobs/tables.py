"""Rows of jobs: long work as one row for each school; the queue only rings the bell."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from billing.storage import Row, json_column, new_id, one_of, time_column

JOB_STATES = ("queued", "running", "done", "failed")


class Job(Row, table=True):
    """One piece of long work. ``once_key`` makes asking twice harmless (no school policy: the sweeper reads it)."""

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", JOB_STATES),
        Index("ix_jobs_open", "run_after", postgresql_where=text("state IN ('queued', 'running')")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str = Field(max_length=60)
    once_key: str = Field(unique=True, max_length=120)
    school_id: UUID | None = None
    arguments: dict[str, Any] = json_column()
    state: str = "queued"
    attempts: int = 0
    run_after: datetime = time_column()
    lease_until: datetime | None = time_column(nullable=True)
    last_error: str = ""
    created_at: datetime = time_column()
    done_at: datetime | None = time_column(nullable=True)
