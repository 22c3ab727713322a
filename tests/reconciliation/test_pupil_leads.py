"""Weak signs on the real database: whom a name, a phone and a known account lead to, and what is not learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import col, select

from billing.money import Money
from billing.payments.tables import Payment, PaymentRequest
from billing.storage import new_id
from billing.vault import Vault
from reconciliation.feeds.base import NormalisedTransfer
from reconciliation.inbox import store_message
from reconciliation.matching import Direction
from reconciliation.matching_rules import set_suggest_by, suggest_by_now
from reconciliation.tables import InboxMessage, Match, Transfer
from reconciliation.transfers import Origin, write_transfer
from reconciliation.weak_signs import Sign
from service.database import EVERYTHING, Database
from service.jobs import reconciling
from service.preparing import Addresses
from tests.factories.collecting import PAID_AT, Collecting, bill_and_ask, make_collecting
from tests.factories.schools import Enrolled, make_guardian, make_pupil, make_user

NAMES = ("Nguyễn Văn An", "Lê Thị Bình", "Trần Gia Châu", "Phạm Minh Dũng")
DUE = 650_000
PARENT = "Nguyễn Thị Hòa"


@dataclass
class Town:
    """A school with four children, the first two of one mother, and a bank that tells who pays."""

    collecting: Collecting
    vault: Vault
    children: list[Enrolled] = field(default_factory=list)
    requests: list[PaymentRequest] = field(default_factory=list)
    told: int = 0

    def pays(self, memo: str, dong: int = DUE, name: str = PARENT, account: str = "0161000879000") -> None:
        """Let a transfer with its payer arrive, and settle it."""
        self.told += 1
        with self.collecting.database.transaction(self.collecting.scope) as session:
            body = f"{self.told}".encode()
            store_message(session, self.vault, self.collecting.feed, body, PAID_AT)
            newest = session.exec(select(InboxMessage.id).order_by(col(InboxMessage.id).desc())).first()
            read = NormalisedTransfer(
                provider="casso",
                provider_id=str(self.told),
                account=None,
                direction=Direction.IN,
                amount=Money(dong),
                memo=memo,
                time=PAID_AT,
                payer_account=account,
                payer_name=name,
            )
            assert write_transfer(session, self.vault, Origin(self.collecting.account, newest or 0), read, PAID_AT)
        reconciling.settle(self.collecting.wiring)

    def newest(self) -> Match:
        with self.collecting.database.transaction(self.collecting.scope) as session:
            return session.exec(select(Match).order_by(col(Match.id).desc())).first() or pytest.fail("no match")

    def suggested(self) -> list[tuple[str, list[str]]]:
        """Return the suggested children's names with their signs."""
        notes = self.newest().evidence["notes"]
        listed: list[dict[str, Any]] = next((note["candidates"] for note in notes if "candidates" in note), [])
        names = {ask.reference: child.pupil.full_name for ask, child in zip(self.requests, self.children, strict=True)}
        return [(names[each["reference"]], [sign["sign"] for sign in each["signs"]]) for each in listed]

    def money_of(self, child: int) -> int:
        with self.collecting.database.transaction(self.collecting.scope) as session:
            rows = session.exec(select(Payment).where(Payment.pupil_id == self.children[child].id)).all()
        return sum(row.amount.dong for row in rows)


@pytest.fixture
def town(database: Database, addresses: Addresses, vault: Vault) -> Town:
    collecting = make_collecting(database, addresses, vault, dues=(1,))
    town = Town(collecting, vault)
    with database.transaction(EVERYTHING) as session:
        group = collecting.children[0].class_group
        for name in NAMES:
            child = make_pupil(session, group, name, province_id=collecting.school.province_id)
            town.children.append(child)
            town.requests.append(bill_and_ask(session, child, collecting.account, DUE))
        make_guardian(session, vault, *town.children[:2], phone="84905123456", name=PARENT)
        make_guardian(session, vault, town.children[2])
        make_guardian(session, vault, town.children[3])
    return town


def test_a_name_and_a_phone_suggest_and_leave_the_money_in_suspense(town: Town) -> None:
    town.pays("NGUYEN VAN AN nop hoc phi")
    by_name = town.suggested()
    town.pays("hoc phi 0905 123456", 1_000)

    assert by_name == [("Nguyễn Văn An", ["name", "amount"])]
    assert town.suggested() == [("Nguyễn Văn An", ["phone"]), ("Lê Thị Bình", ["phone"])]
    assert town.newest().outcome == "suggested"
    assert town.money_of(0) == town.money_of(1) == 0
    assert town.collecting.books()["3388S"] == -DUE - 1_000


def test_an_account_is_learned_from_a_settled_transfer_and_suggests_the_family(town: Town) -> None:
    town.pays("chuyen tien")
    assert town.newest().outcome == "unmatched"
    town.pays(town.requests[1].reference, 300_000)
    town.pays("chuyen tien", 350_000)

    assert town.suggested() == [("Lê Thị Bình", ["payer", "amount"])]
    assert town.money_of(1) == 300_000


@pytest.mark.parametrize("name", ["CONG TY TNHH HOA SEN", "MOMO", "WESTERN UNION", "HOA SEN"])
def test_nothing_is_learned_from_companies_wallets_remittance_firms_and_the_unknown(town: Town, name: str) -> None:
    town.pays(town.requests[1].reference, 300_000, name)
    town.pays("chuyen tien", 350_000, name)

    assert town.newest().outcome == "unmatched"


def test_an_account_seen_once_as_a_wallets_is_forgotten(town: Town) -> None:
    town.pays(town.requests[1].reference, 300_000)
    town.pays("chuyen tien", 350_000, "MOMO")
    town.pays("chuyen tien", 350_000)

    assert town.newest().outcome == "unmatched"


def test_two_families_may_share_an_account_and_three_may_not(town: Town) -> None:
    for child in (0, 1, 2):  # two of them of one family
        town.pays(town.requests[child].reference, 300_000)
    town.pays("chuyen tien", 1)
    assert {name for name, _ in town.suggested()} == set(NAMES[:3])
    town.pays(town.requests[3].reference, 300_000)
    town.pays("chuyen tien", 2)

    assert town.newest().outcome == "unmatched"


def test_a_school_may_switch_a_sign_off_from_now_on(town: Town) -> None:
    with town.collecting.database.transaction(town.collecting.scope) as session:
        assert suggest_by_now(session, town.collecting.school.id) == frozenset(Sign)
    with town.collecting.database.transaction(EVERYTHING) as session:
        staff = make_user(session, town.collecting.school)
    with town.collecting.database.transaction(town.collecting.scope) as session:
        set_suggest_by(session, town.collecting.school.id, {Sign.PHONE}, staff.user_id or new_id(), PAID_AT)
    town.pays("NGUYEN VAN AN nop hoc phi")
    assert town.newest().outcome == "unmatched"
    town.pays("NGUYEN VAN AN 0905123456")

    assert town.suggested() == [("Nguyễn Văn An", ["phone"]), ("Lê Thị Bình", ["phone"])]


def test_a_surplus_tells_what_the_sibling_still_owes(town: Town) -> None:
    town.pays(town.requests[0].reference, 2 * DUE)

    assert {"family_also_due": [{"reference": town.requests[1].reference, "due": DUE}]} in town.newest().evidence[
        "notes"
    ]
    assert town.money_of(0) == 2 * DUE


def test_the_kind_of_payer_is_kept_with_the_transfer(town: Town) -> None:
    town.pays("a")
    town.pays("b", name="CONG TY TNHH HOA SEN")
    with town.collecting.database.transaction(town.collecting.scope) as session:
        kinds = session.exec(select(Transfer.payer_kind).order_by(col(Transfer.provider_id))).all()

    assert list(kinds) == ["person", "company"]
