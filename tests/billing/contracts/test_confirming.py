"""The database takes no agreement by code without its proof: code, link, contract, version and guardian fit."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.contracts.confirming import Confirmed, confirm
from billing.contracts.offering import words_of
from billing.contracts.reading import agreement_of
from billing.contracts.tables import Contract, ContractAgreement, ContractStep
from billing.errors import Conflict, NotAllowed, Refused
from billing.people.tables import Contact, Guardianship
from billing.storage import new_id
from service.access.contract_links import open_link
from service.access.guardian_tables import GuardianCode
from tests.billing.contracts.contract_world import JUNE, PrivateSchool, new_version
from tests.factories.rounds import REFERENCE_KEY

GUARDIAN = Actor(None, "guardian")
KEY = bytes(range(32))
DUE = date(2025, 6, 30)


def contact_of(session: Session, contract: Contract) -> Contact:
    return session.exec(
        select(Contact)
        .join(Guardianship, col(Guardianship.guardian_id) == col(Contact.guardian_id))
        .where(Guardianship.pupil_id == contract.pupil_id)
    ).one()


def used_code(session: Session, school: PrivateSchool, contract: Contract, purpose: str = "agree") -> GuardianCode:
    """Make a link of a contract, and a code that was typed rightly on it."""
    link = open_link(session, KEY, school.id, contract.id, DUE, DUE, school.billing.accountant, JUNE)
    contact = contact_of(session, contract)
    code = GuardianCode(
        school_id=school.id, purpose=purpose, link_hash=link.token_hash, contact_kind=contact.kind,
        contact_blind=contact.blind, contact_masked=contact.masked, digest=bytes(32), made_at=JUNE,
        expires_at=JUNE + timedelta(minutes=10), tries=1, used_at=JUNE,
    )  # fmt: skip
    session.add(code)
    session.flush()
    return code


def evidence(session: Session, contract: Contract, code: GuardianCode) -> ContractAgreement:
    words, contact = words_of(session, contract, DUE), contact_of(session, contract)
    return ContractAgreement(
        contract_id=contract.id, school_id=contract.school_id, version_id=contract.version_id,
        guardian_id=contact.guardian_id, contact_kind=contact.kind, contact_masked=contact.masked, code_id=code.id,
        words=words.text, words_sha256=words.digest, at=JUNE,
    )  # fmt: skip


def step(contract: Contract, kind: str = "agreed", way: str = "", made_by: UUID | None = None) -> ContractStep:
    return ContractStep(
        school_id=contract.school_id, contract_id=contract.id, turn=1, kind=kind, day=JUNE.date(), way=way, reason="…",
        facts={}, made_by=made_by, at=JUNE,
    )  # fmt: skip


def refused(session: Session, row: object, said: str) -> None:
    trial = session.begin_nested()
    session.add(row)
    with pytest.raises(DBAPIError, match=said):
        session.flush()
    trial.rollback()


def test_a_guardian_agrees_and_only_once(school: PrivateSchool) -> None:
    with school.open() as session:
        contract = school.apply(session)
        code, contact = used_code(session, school, contract), contact_of(session, contract)
        shown = words_of(session, contract, DUE).digest
        good = Confirmed(code.id, contact.kind, contact.blind, shown, DUE)
        for bad, error in (
            (Confirmed(code.id, contact.kind, bytes(32), shown, DUE), NotAllowed),
            (Confirmed(code.id, contact.kind, contact.blind, bytes(32), DUE), Conflict),
        ):
            with pytest.raises(error):
                confirm(session, school.id, contract.id, bad, GUARDIAN, JUNE, REFERENCE_KEY)
        taken = confirm(session, school.id, contract.id, good, GUARDIAN, JUNE, REFERENCE_KEY)
        kept = agreement_of(session, contract)
        assert kept is not None
        assert (taken.way, taken.made_by, taken.facts["code"]) == ("code", None, str(code.id))
        assert (kept.words_sha256, kept.guardian_id) == (shown, contact.guardian_id)
        with pytest.raises(Conflict, match="đã ký"):
            confirm(session, school.id, contract.id, good, GUARDIAN, JUNE, REFERENCE_KEY)
        with pytest.raises(Conflict, match="đã ký"):
            open_link(session, KEY, school.id, contract.id, DUE, DUE, school.billing.accountant, JUNE)


def test_the_database_compares_code_version_and_guardian(school: PrivateSchool) -> None:
    with school.open() as session:
        contract, other = school.apply(session), school.apply(session)
        code, foreign = used_code(session, school, contract), used_code(session, school, other)
        elsewhere = used_code(session, school, contract, purpose="explain")
        unused = used_code(session, school, contract)
        unused.used_at = None
        session.flush()
        for wrong in (foreign, elsewhere, unused):
            refused(session, evidence(session, contract, wrong), "needs a used code")
        row = evidence(session, contract, code)
        row.version_id = new_version(session, school, code="HD-2026").id
        refused(session, row, "another version")
        row = evidence(session, contract, code)
        row.guardian_id = contact_of(session, other).guardian_id
        refused(session, row, "child of others")
        row = evidence(session, contract, code)
        row.words += "…"
        refused(session, row, "words_as_digested")


def test_no_step_by_code_without_its_agreement_and_none_by_nobody(school: PrivateSchool) -> None:
    with school.open() as session:
        contract = school.apply(session)
        refused(session, step(contract, way="code"), "keeps what was agreed to")
        session.add(evidence(session, contract, used_code(session, school, contract)))
        session.flush()
        refused(session, step(contract, way="code", made_by=new_id()), "by_a_person_or_a_code")
        refused(session, step(contract, kind="declined"), "by_a_person_or_a_code")


def test_what_has_several_prices_is_signed_on_paper(school: PrivateSchool) -> None:
    with school.open() as session:
        contract = school.apply(session, plan="month", months=9)
        assert "Phải nộp một tháng" in words_of(session, contract, DUE).text
        gap = school.apply(session, plan="half", months=8)
        with pytest.raises(Refused, match="cộng lại 9 tháng"):
            open_link(session, KEY, school.id, gap.id, DUE, DUE, school.billing.accountant, JUNE)
