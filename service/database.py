"""The one place that opens the database and commits, and the list of all tables.

Every transaction has a scope: which schools (and which guardians' children) may be seen in it. The scope is handed to
PostgreSQL, whose row-level security enforces it; without one, no tenant row is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from psycopg.errors import LockNotAvailable
from sqlalchemy import Engine, MetaData, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, SQLModel

import billing.attendance.tables
import billing.audit.tables
import billing.bills.tables
import billing.cards.tables
import billing.cash.tables
import billing.cash.till_tables
import billing.choices.tables
import billing.claims.tables
import billing.closing.tables
import billing.contracts.tables
import billing.credits.receiving_tables
import billing.credits.tables
import billing.events.tables
import billing.fees.insurance_tables
import billing.fees.place_tables
import billing.fees.support_tables
import billing.fees.tables
import billing.insurance.tables
import billing.ledger.account_tables
import billing.ledger.tables
import billing.moving.tables
import billing.newyear.tables
import billing.payments.number_tables
import billing.payments.relief_tables
import billing.payments.tables
import billing.people.kinship_tables
import billing.people.tables
import billing.plans.tables
import billing.rounds.tables  # noqa: F401  fills the metadata
import notifications.sms_tables
import notifications.tables  # noqa: F401  fills the metadata
import reconciliation.cards.tables
import reconciliation.depositing.tables
import reconciliation.differences.tables
import reconciliation.lists.tables
import reconciliation.outgoing.tables
import reconciliation.queue.tables
import reconciliation.reversing.tables
import reconciliation.shortfalls.tables
import reconciliation.statements.tables
import reconciliation.tables  # noqa: F401  fills the metadata
import service.access.guardian_tables
import service.access.staff_tables
import service.access.tables
import service.access.token_tables
import service.jobs.tables
import service.papers.tables  # noqa: F401  fills the metadata

ALL_SCHOOLS = "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a transaction may see: the listed schools, or all of them (system work only), and guardians' children."""

    schools: tuple[UUID, ...] = ()
    all_schools: bool = False
    guardians: tuple[UUID, ...] = ()

    @classmethod
    def of(cls, *schools: UUID) -> Scope:
        """Return the scope of some schools."""
        return cls(schools=schools)

    def as_settings(self) -> dict[str, str]:
        """Return the two settings that the policies read."""
        schools = ALL_SCHOOLS if self.all_schools else ",".join(str(school) for school in self.schools)
        return {"schools": schools, "guardians": ",".join(str(guardian) for guardian in self.guardians)}


NOTHING = Scope()
EVERYTHING = Scope(all_schools=True)


def metadata() -> MetaData:
    """Return the shape of all tables (for Alembic and the tests)."""
    return SQLModel.metadata


def psycopg_url(url: str) -> URL:
    """Return a SQLAlchemy address that uses psycopg 3, whatever form of PostgreSQL URL was given."""
    return make_url(url).set(drivername="postgresql+psycopg")


def libpq_url(url: str) -> str:
    """Return the plain ``postgresql://`` form for psycopg itself."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def make_engine(url: str, *, pool_size: int = 10) -> Engine:
    """Return an engine; every session is in UTC and waits at most 10 s for a lock."""
    options = "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
    return create_engine(
        psycopg_url(url),
        pool_size=pool_size,
        max_overflow=5,
        pool_pre_ping=True,
        pool_use_lifo=True,  # the connection that was busy last still has the plans of its statements
        hide_parameters=True,  # an SQL error in a log shows no names and amounts
        connect_args={"options": options, "connect_timeout": 10},
    )


def waited_too_long(error: Exception) -> bool:
    """Tell whether the database gave up on a lock that another transaction holds (55P03): it works, and so do we."""
    return isinstance(error, OperationalError) and isinstance(error.orig, LockNotAvailable)


def use_scope(session: Session, scope: Scope) -> None:
    """Set what the rest of this transaction may see; it ends with the transaction."""
    session.execute(
        text("SELECT set_config('app.schools', :schools, true), set_config('app.guardians', :guardians, true)"),
        scope.as_settings(),
    )


class Database:
    """The application's connection pool; hands out transactions that commit once, at the end."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def transaction(self, scope: Scope) -> Iterator[Session]:
        """Run a block in one transaction: committed if it ends well, rolled back if it raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            use_scope(session, scope)
            yield session

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Hold a name among all processes while a block runs; hands out false if somebody else holds it.

        No transaction is open meanwhile; the hold ends with the connection, also after ``kill -9``.
        """
        with self.engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            key = {"name": name}
            mine = connection.execute(text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), key).scalar_one()
            try:
                yield bool(mine)
            finally:
                if mine:
                    connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), key)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def school_scope(schools: Sequence[UUID]) -> Scope:
    """Return the scope of a list of schools."""
    return Scope(schools=tuple(schools))
