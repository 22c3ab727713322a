"""A school with an issued round behind the real web: rows, links, staff with passwords, a bank that pays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from uuid import UUID

from sqlmodel import Session
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from billing.payments.tables import PaymentRequest
from billing.vault import Vault
from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.sepay import HMAC
from reconciliation.feeds.stand_in import StandInBank
from service.access.links import ensure_link
from service.access.passwords import hash_password
from service.access.sessions import new_session
from service.access.staff import start_session
from service.access.tables import RoleGrant, User
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from service.settings import Settings
from service.web import build_app
from service.wiring import Wiring
from tests.conftest import TestServers
from tests.factories.collecting import PAID_AT, SECRET, Collecting
from tests.factories.rounds import BillingSchool, issued_round, make_billing_school, register, requests_of
from tests.factories.schools import YEAR_STARTS

PASSWORD = "mèo con ngủ trên mái nhà"  # noqa: S105  invented
_numbers = count(1)
PASSWORD_HASH = hash_password(PASSWORD)


@dataclass
class Moving:
    """A clock that tests move."""

    now: datetime = PAID_AT

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """Everything at hand."""

    billing: BillingSchool
    collecting: Collecting
    clock: Moving
    rung: list[str] = field(default_factory=list)

    @property
    def wiring(self) -> Wiring:
        return self.collecting.wiring

    def app(self) -> ASGIApp:
        return build_app(self.wiring)

    def client(self) -> TestClient:
        """Return a client that asks for pages, follows nothing, and sees a 500 as an answer."""
        headers = {"accept": "text/html"}
        return TestClient(self.app(), headers=headers, follow_redirects=False, raise_server_exceptions=False)

    def link(self, number: int = 0) -> str:
        """Return the path of a child's payment link."""
        request = self.collecting.requests[number]
        with self.collecting.database.transaction(self.collecting.scope) as session:
            return ensure_link(session, self.wiring.link_key, "", request, self.clock())

    def staff(self, role: str, *, school_id: UUID | None = None, authority_id: UUID | None = None) -> User:
        """Make a member of staff with a password and a role here, or where given."""
        if authority_id is None:
            school_id = school_id or self.billing.id
        with self.collecting.database.transaction(EVERYTHING) as session:
            return make_staff(session, role, school_id, authority_id)

    def signed_in(self, user: User) -> TestClient:
        """Return a client with a session of somebody."""
        client, fresh = self.client(), new_session()
        with self.collecting.database.transaction(EVERYTHING) as session:
            start_session(session, user.id, fresh.digest, self.clock())
        client.cookies.set("hocphi", fresh.token)
        return client

    def change(self, act: Callable[[Session], object]) -> None:
        """Do something in a transaction that sees all."""
        with self.collecting.database.transaction(EVERYTHING) as session:
            act(session)


def make_staff(session: Session, role: str, school_id: UUID | None, authority_id: UUID | None) -> User:
    """Make a user with a password and a dated role."""
    user = User(
        login=f"{role}.{next(_numbers)}", full_name=f"Lê Thị {role}", password_hash=PASSWORD_HASH, created_at=PAID_AT
    )
    session.add(user)
    session.flush()
    grant = RoleGrant(
        user_id=user.id, role=role, school_id=school_id, authority_id=authority_id, valid_from=YEAR_STARTS
    )
    session.add(grant)
    session.flush()
    return user


def make_world(  # noqa: PLR0913  the fixtures of a test
    database: Database,
    addresses: Addresses,
    vault: Vault,
    servers: TestServers,
    told_by: str = "callback",
    *,
    before_issue: Callable[[Session, BillingSchool], None] | None = None,
) -> World:
    """Make a public primary school with three pupils, all boarders, and October issued."""
    clock, rung = Moving(), list[str]()
    wiring = Wiring(Settings.model_construct(), addresses, servers.redis_url, database, vault, clock, rung.append)
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, told_by=told_by)
        for child in billing.pupils:
            register(session, child, "BANTRU", "TIENAN")
        if before_issue is not None:
            before_issue(session, billing)
        issued_round(session, billing, PAID_AT)
        requests: list[PaymentRequest] = [requests_of(session, child)[-1] for child in billing.pupils]
        feed, token = open_feed(session, vault, billing.account, "sepay", HMAC, SECRET, None, PAID_AT)
    bank = StandInBank({billing.account.number: billing.school.name}, Random(4))  # noqa: S311  chance, not secrecy
    collecting = Collecting(wiring, billing.school, billing.account, feed, token, billing.pupils, requests, bank, rung)
    return World(billing, collecting, clock, rung)
