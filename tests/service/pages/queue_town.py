"""A school whose money waits, behind the real web: 1B of 35, 1C, each child with a bill, and its people."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import col, select
from starlette.testclient import TestClient

from billing.payments.reference import ALPHABET
from billing.vault import Vault
from reconciliation.feeds.stand_in import Movement
from reconciliation.tables import Transfer
from service.access.sessions import new_session
from service.access.staff import start_session
from service.access.tables import User
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.collecting import bill_and_ask, make_collecting
from tests.factories.rounds import BillingSchool
from tests.factories.schools import Enrolled, make_class, make_guardian, make_pupil, make_user
from tests.service.pages.worlds import Moving, World, make_staff

FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Điểu")
GIVEN = (
    "Minh Ánh", "Bảo", "Hoàng Yến", "Đăng Khôi", "Thị Hồng", "Gia Hân", "Quốc Việt", "Thùy Dương", "Phúc", "Ngọc Ánh",
)  # fmt: skip
DUE = 650_000
IN_CLASS = 35


@dataclass
class QueueTown(World):
    """The school, and the three people of its queue."""

    accountant: User = field(kw_only=True)
    other: User = field(kw_only=True)
    approver: User = field(kw_only=True)

    def cookie(self, user: User) -> str:
        """Return a session of one of them."""
        fresh = new_session()
        with self.collecting.database.transaction(EVERYTHING) as session:
            start_session(session, user.id, fresh.digest, self.clock())
        return fresh.token

    def browser(self, user: User) -> TestClient:
        """Return a client of one of them."""
        client = self.client()
        client.cookies.set("hocphi", self.cookie(user))
        return client

    def child(self, number: int) -> Enrolled:
        return self.collecting.children[number]

    def damaged(self, number: int) -> str:
        """Return a child's reference with its last character wrong: certain for a person, not for the matcher."""
        reference = self.collecting.requests[number].reference
        wrong = ALPHABET[(ALPHABET.index(reference[-1]) + 1) % len(ALPHABET)]
        return reference[:-1] + wrong

    def waits(self, *payments: tuple[str, int]) -> list[UUID]:
        """Let money come in (memo, đồng) and the matcher look at it; return the transfers in that order."""
        moved: list[Movement] = [self.collecting.pays(memo, dong) for memo, dong in payments]
        self.collecting.hear_of(*moved)
        known = {transfer.provider_id: transfer.id for transfer in self.collecting.transfers()}
        return [known[str(movement.id)] for movement in moved]

    def state(self, transfer: UUID) -> str:
        with self.collecting.database.transaction(self.collecting.scope) as session:
            return session.exec(select(Transfer.state).where(col(Transfer.id) == transfer)).one()


def name_of(number: int) -> str:
    """Return a child's name; the first fifty have two or three words, the next a middle name more."""
    family, rest = FAMILIES[number % len(FAMILIES)], number // len(FAMILIES)
    return f"{family} {'Hải ' * (rest // len(GIVEN))}{GIVEN[rest % len(GIVEN)]}"


def make_queue_town(
    database: Database, addresses: Addresses, vault: Vault, servers: TestServers, others: int = 15
) -> QueueTown:
    """Make it: 35 children of one class and others of the next, who owe 650,000 đ each on one account."""
    collecting = make_collecting(database, addresses, vault, dues=())
    clock = Moving()
    collecting.wiring = dataclasses.replace(collecting.wiring, clock=clock, redis_url=servers.redis_url)
    school = collecting.school
    with database.transaction(EVERYTHING) as session:
        groups = [make_class(session, school, code=code) for code in ("1B", "1C")]
        for number in range(IN_CLASS + others):
            group = groups[number >= IN_CLASS]
            child = make_pupil(session, group, name_of(number), province_id=school.province_id)
            collecting.children.append(child)
            collecting.requests.append(bill_and_ask(session, child, collecting.account, DUE))
        make_guardian(session, vault, collecting.children[0], phone="0903555017")
        billing = BillingSchool(
            school, collecting.account, make_user(session, school, "accountant"), make_user(session, school, "approver")
        )
        roles = {"accountant": "accountant", "other": "accountant", "approver": "approver"}
        people = {name: make_staff(session, role, school.id, None) for name, role in roles.items()}
    billing.pupils = collecting.children
    return QueueTown(billing, collecting, clock, collecting.rung, **people)
