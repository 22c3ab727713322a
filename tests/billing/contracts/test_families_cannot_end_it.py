"""What a contract has written stands on the family's page of choices, and no click there ends it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.bills.tables import BillLine
from billing.choices.choosing import Chooser, Seen, stop
from billing.choices.offering import NewOffer, open_offer
from billing.choices.reading import HeldItem, pupil_choices
from billing.choices.tables import FamilyChoice
from billing.contracts.charging_late import add_late_charges
from billing.contracts.tables import Contract
from billing.errors import Refused
from billing.fees.items import Span
from billing.fees.registering import Registration, register
from billing.fees.tables import FeeItem, OptIn
from billing.money import Money
from billing.people.tables import Contact, Guardianship
from tests.billing.contracts.contract_world import JUNE, PrivateSchool, at

GUARDIAN = Actor(None, "guardian")


def held(session: Session, school: PrivateSchool, contract: Contract) -> dict[str, HeldItem]:
    found = pupil_choices(session, school.id, contract.pupil_id, school.now.date())
    return {each.item.code: each for each in found.held}


def ends(session: Session, school: PrivateSchool, contract: Contract, code: str) -> bool:
    """Let the guardian end it as the page would, or as somebody would who writes the form himself."""
    contact = session.exec(
        select(Contact)
        .join(Guardianship, col(Guardianship.guardian_id) == col(Contact.guardian_id))
        .where(Guardianship.pupil_id == contract.pupil_id)
    ).one()
    chooser = Chooser(contract.pupil_id, (contact.guardian_id,), contact.kind, contact.blind, bytes(32))
    statement = held(session, school, contract)[code].statement
    seen = Seen(statement.digest if statement else b"", "vi")
    return stop(session, school.id, chooser, code, seen, GUARDIAN, school.now)


def sources(session: Session, enrolment: UUID) -> dict[str, set[str]]:
    """Return who has written the registrations of each item."""
    found: dict[str, set[str]] = {}
    asked = select(FeeItem.code, OptIn.source).join(OptIn, col(OptIn.item_id) == col(FeeItem.id))
    for code, source in session.exec(asked.where(OptIn.enrolment_id == enrolment)).all():
        found.setdefault(code, set()).add(source)
    return found


def billed(session: Session, school: PrivateSchool, contract: Contract, code: str) -> list[tuple[str, Money]]:
    by_bill = {bill.bill_id: bill.period for bill in school.bills_of(session, contract.pupil_id)}
    rows = session.exec(select(BillLine).where(col(BillLine.bill_id).in_(by_bill), BillLine.item_code == code)).all()
    return sorted((by_bill[row.bill_id], row.family_share) for row in rows)


def test_a_half_year_is_billed_whatever_the_family_clicks(school: PrivateSchool) -> None:
    with school.open() as session:
        school.now = JUNE
        contract = school.apply(session, plan="half")
        school.pay_bill(session, school.sign(session, contract))
        school.now = at(8, 20)
        enrolment = school.admit(session, contract)
        school.issue(session)
        school.now = at(10, 1)
        term = held(session, school, contract)["HOCPHI-KY"]
        assert (term.by_contract, term.last, term.statement) == (True, None, None)
        with pytest.raises(Refused, match="theo hợp đồng đã ký"):
            ends(session, school, contract, "HOCPHI-KY")
        assert session.exec(select(FamilyChoice)).all() == []
        assert sources(session, enrolment) == {"HOCPHI-KY": {"contract"}}
        bus = Registration(enrolment, "XEDUARUOC", date(2025, 10, 1), "Hợp đồng HD-03 của hãng xe")
        register(session, school.id, school.billing.accountant, [bus], school.now)
        assert sources(session, enrolment)["XEDUARUOC"] == {"office"}, "whatever its evidence is called"
        assert ends(session, school, contract, "XEDUARUOC")
        school.now = at(2, 1)
        school.issue(session, Span(date(2026, 2, 1), date(2026, 2, 28)))
        assert len(billed(session, school, contract, "HOCPHI-KY")) == 2


def test_a_late_charge_is_billed_whatever_the_family_clicks(school: PrivateSchool) -> None:
    with school.open() as session:
        contract, enrolment = school.yearly_child(session)
        year = school.bills_of(session, contract.pupil_id)[-1]
        school.now = at(10, 1)
        november = Span(date(2025, 11, 1), date(2025, 11, 30))
        actor = school.billing.accountant
        charged = add_late_charges(session, school.id, [year.bill_id], november.start, actor, school.now)
        assert sources(session, enrolment)["PHICHAMNOP"] == {"contract"}
        with pytest.raises(Refused, match="theo hợp đồng đã ký"):
            ends(session, school, contract, "PHICHAMNOP")
        school.issue(session, november)
        assert [amount for _, amount in billed(session, school, contract, "PHICHAMNOP")] == [charged]


def test_items_of_contracts_are_never_open_to_choice(school: PrivateSchool) -> None:
    with school.open() as session:
        offer = NewOffer("HOCPHI-NAM", date(2025, 9, 1), date(2025, 8, 1), "Đóng cả năm.")
        with pytest.raises(Refused, match="chỉ thu theo hợp đồng"):
            open_offer(session, school.id, offer, school.billing.accountant, JUNE)
