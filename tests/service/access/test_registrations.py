"""Registration by a family: nothing before the school says yes, consent in its very words, and a way back."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.errors import Conflict, HocphiError, NotFound
from billing.people.contact_sheet import Relation
from billing.people.tables import Authority, Contact, Guardian, Guardianship, School
from billing.vault import Vault
from service.access.consent_texts import NOTICES_1
from service.access.guardian_codes import Reached, Wanted, issue_code
from service.access.guardian_tables import Consent, GuardianCode, Registration, RegistrationLink
from service.access.links import digest
from service.access.registration_forms import Draft
from service.access.registrations import (
    LASTS,
    accept_registration,
    ensure_registration_links,
    make_token,
    open_consents,
    opened_by,
    refuse_registration,
    revoke_registration_link,
    store_registration,
    waiting_registrations,
    withdraw_consents,
)
from service.database import EVERYTHING, NOTHING, Database, Scope
from tests.conftest import SCHOOL_DAY
from tests.factories.schools import Enrolled, make_class, make_guardian, make_pupil, make_school, make_user
from tests.standing import standing

KEY = bytes(range(32))
DRAFT = Draft("Trần Thị Hồng", Relation.MOTHER, "phone", "84912345678", NOTICES_1.version)
RACES = 50 if os.environ.get("HOCPHI_PROOF") else 5


@dataclass
class Office:
    """A school with two children, who decides there, and another school of the province."""

    database: Database
    vault: Vault
    school: School
    other: School
    child: Enrolled
    sister: Enrolled
    clerk: Actor

    def links(self, now: datetime = SCHOOL_DAY) -> dict[UUID, str]:
        """Return the tokens of both children's links."""
        with self.database.transaction(Scope.of(self.school.id)) as session:
            made = ensure_registration_links(
                session, KEY, "https://x.example", self.school.id, [self.child.id, self.sister.id], now
            )
        return {pupil: address.removeprefix("https://x.example/dk/") for pupil, address in made.items()}

    def opens(self, token: str, now: datetime = SCHOOL_DAY) -> bool:
        with self.database.transaction(NOTHING) as session:
            return opened_by(session, digest(token), now) is not None

    def registers(self, draft: Draft = DRAFT, child: Enrolled | None = None, now: datetime = SCHOOL_DAY) -> UUID:
        """Let somebody prove a contact and register; return the registration."""
        child = child or self.child
        token = self.links()[child.id]
        with self.database.transaction(Scope.of(self.school.id)) as session:
            link = session.get_one(RegistrationLink, digest(token))
            blind = self.vault.blind(draft.contact, f"contacts.{draft.kind}")
            contact = Reached(draft.kind, blind, "09•• ••• 678")
            wanted = Wanted(self.school.id, "register", link.token_hash, contact, b"sealed")
            code, _ = issue_code(session, KEY, wanted, now)
            return store_registration(session, self.vault, link, code, draft, now).id

    def accepts(self, registration_id: UUID, now: datetime = SCHOOL_DAY) -> UUID:
        with self.database.transaction(Scope.of(self.school.id)) as session:
            return accept_registration(session, self.school.id, registration_id, self.clerk, now).id

    def refuses(self, registration_id: UUID) -> None:
        with self.database.transaction(Scope.of(self.school.id)) as session:
            refuse_registration(session, self.school.id, registration_id, self.clerk, "không quen", SCHOOL_DAY)

    def withdraws(self, *guardians: UUID, child: Enrolled | None = None) -> int:
        scope = Scope(schools=(self.school.id,), guardians=guardians)
        with self.database.transaction(scope) as session:
            return withdraw_consents(session, guardians, (child or self.child).id, SCHOOL_DAY)

    def waiting(self) -> list[UUID]:
        with self.database.transaction(Scope.of(self.school.id)) as session:
            return [each.row.id for each in waiting_registrations(session, self.school.id)]

    def ties(self) -> list[tuple[str, UUID, bool, bool]]:
        """Return who is tied to which child: name, child, may see, is told."""
        with self.database.transaction(EVERYTHING) as session:
            rows = session.exec(
                select(Guardian, Guardianship)
                .join(Guardianship)
                .where(Guardian.id == Guardianship.guardian_id)
                .order_by(text("guardianships.id"))
            ).all()
            return [(one.full_name, tie.pupil_id, tie.may_see_bills, tie.receives_notices) for one, tie in rows]

    def does(self, act: Callable[[Session], object]) -> None:
        with self.database.transaction(EVERYTHING) as session:
            act(session)

    def goes_elsewhere(self) -> None:
        """Let the first child leave for the other school."""

        def move(session: Session) -> None:
            session.execute(
                text("UPDATE enrolments SET state = 'transferred_out', ended_on = '2025-10-01' WHERE pupil_id = :it"),
                {"it": self.child.id},
            )
            group = make_class(session, self.other)
            make_pupil(session, group, province_id=self.other.province_id, pupil=self.child.pupil)

        self.does(move)

    def consents(self) -> list[Consent]:
        with self.database.transaction(EVERYTHING) as session:
            return list(session.exec(select(Consent).order_by(text("id"))).all())


@pytest.fixture
@standing
def office(database: Database, vault: Vault) -> Office:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        other = make_school(session, province=session.get_one(Authority, school.province_id))
        group = make_class(session, school)
        child, sister = (
            make_pupil(session, group, name, province_id=school.province_id) for name in ("Lê An", "Lê Bình")
        )
        return Office(database, vault, school, other, child, sister, make_user(session, school))


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do several things at the same moment; an error of ours is an answer."""
    start = Barrier(len(acts))

    def wait_and(act: Callable[[], object]) -> object:
        start.wait(timeout=20)
        try:
            return act()
        except HocphiError as error:
            return type(error)

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(wait_and, acts))


# The link on the slip.


def test_a_childs_link_is_the_same_each_time_and_lasts_longer_with_each_slip(office: Office) -> None:
    first = office.links()
    assert first == office.links(SCHOOL_DAY + timedelta(days=100))
    assert len(set(first.values())) == 2
    token = first[office.child.id]
    assert len(token) == 22
    assert office.opens(token, SCHOOL_DAY + LASTS + timedelta(days=99))
    assert not office.opens(token, SCHOOL_DAY + LASTS + timedelta(days=100))
    assert not office.opens("A" * 22)


def test_a_revoked_link_is_dead_for_good_and_the_next_slip_has_another(office: Office) -> None:
    before = office.links()
    office.does(lambda session: revoke_registration_link(session, office.school.id, office.child.id, SCHOOL_DAY))
    after = office.links()
    assert not office.opens(before[office.child.id])
    assert office.opens(after[office.child.id])
    assert after[office.child.id] != before[office.child.id]
    assert after[office.sister.id] == before[office.sister.id]
    assert office.links() == after


def test_the_token_depends_on_school_child_version_and_key(office: Office) -> None:
    one, two = office.child.id, office.school.id
    made = {make_token(KEY, *each) for each in ((one, two, 1), (two, one, 1), (one, two, 2), (one, one, 1))}
    assert len(made | {make_token(KEY[::-1], one, two, 1)}) == 5
    with pytest.raises(ValueError, match="32 bytes"):
        make_token(KEY[:31], one, two, 1)


def test_the_link_ends_with_the_studies(office: Office) -> None:
    token = office.links()[office.child.id]
    assert office.opens(token)
    office.goes_elsewhere()
    assert not office.opens(token)


# What a registration is before and after the school's word.


def test_a_registration_opens_nothing_before_the_school_says_yes(office: Office) -> None:
    registration = office.registers()
    assert office.waiting() == [registration]
    assert office.ties() == []
    with office.database.transaction(EVERYTHING) as session:
        assert session.exec(select(Contact)).all() == []
        assert session.exec(select(GuardianCode)).one().about_sealed is None
        stored = session.execute(text("SELECT r::text FROM registrations r")).scalar_one()
    assert "912345678" not in stored


def test_the_consent_names_the_words_that_were_read_and_the_moment(office: Office) -> None:
    registration = office.registers()
    (given,) = office.consents()
    assert (given.action, given.purpose, given.registration_id) == ("given", "notices", registration)
    assert (given.version, given.wording_digest, given.at) == (NOTICES_1.version, NOTICES_1.digest(), SCHOOL_DAY)
    with pytest.raises(ProgrammingError, match="permission denied"):
        office.does(lambda session: session.execute(text("UPDATE consents SET version = 'x'")))
    with pytest.raises(ProgrammingError, match="permission denied"):
        office.does(lambda session: session.execute(text("DELETE FROM consents")))


def test_yes_makes_a_guardian_who_is_told(office: Office) -> None:
    guardian = office.accepts(office.registers())
    assert office.waiting() == []
    assert office.ties() == [("Trần Thị Hồng", office.child.id, True, True)]
    with office.database.transaction(Scope.of(office.school.id)) as session:
        contact = session.exec(select(Contact)).one()
        assert (contact.guardian_id, contact.masked, contact.valid_to) == (guardian, "09•• ••• 678", None)
        assert office.vault.open(contact.sealed, "contacts.phone") == DRAFT.contact
        assert contact.blind == office.vault.blind(DRAFT.contact, "contacts.phone")


def test_a_sisters_mother_is_the_same_person_and_a_namesake_with_another_number_is_not(office: Office) -> None:
    mother = office.accepts(office.registers())
    assert office.accepts(office.registers(replace(DRAFT, full_name="TRẦN THỊ HỒNG"), office.sister)) == mother
    assert office.accepts(office.registers(replace(DRAFT, contact="84987654321"), office.sister)) != mother


def test_a_guardian_of_another_school_is_never_taken_for_this_one(office: Office) -> None:
    """A number that some other school typed is no proof of who somebody is (decision 0003)."""

    def know_elsewhere(session: Session) -> None:
        pupil = make_pupil(session, make_class(session, office.other), province_id=office.other.province_id)
        make_guardian(session, office.vault, pupil, phone=DRAFT.contact, name=DRAFT.full_name)

    office.does(know_elsewhere)
    guardian = office.accepts(office.registers())
    with office.database.transaction(EVERYTHING) as session:
        assert session.get_one(Guardian, guardian).entered_by_school_id == office.school.id


def test_no_erases_name_and_contact_and_keeps_who_said_it(office: Office) -> None:
    registration = office.registers()
    office.refuses(registration)
    assert office.waiting() == []
    assert office.ties() == []
    with office.database.transaction(EVERYTHING) as session:
        row = session.get_one(Registration, registration)
        assert (row.full_name, row.masked, row.sealed, row.blind) == ("", "", b"", b"")
        said = session.execute(text("SELECT verdict, reason, decided_by FROM registration_decisions")).one()
    assert tuple(said) == ("refused", "không quen", office.clerk.user_id)


def test_a_registration_is_decided_once_and_by_its_own_school(office: Office) -> None:
    registration = office.registers()
    with pytest.raises(NotFound), office.database.transaction(Scope.of(office.other.id)) as session:
        accept_registration(session, office.other.id, registration, office.clerk, SCHOOL_DAY)
    office.accepts(registration)
    for again in (office.accepts, office.refuses):
        with pytest.raises(Conflict, match="đã có người xử lý"):
            again(registration)
    office.clerk, another = Actor(user_id=None, role="accountant"), office.registers()
    with pytest.raises(ValueError, match="a person decides"):
        office.accepts(another)


def test_yes_and_no_at_once_are_one_word(office: Office) -> None:
    for race in range(RACES):
        later = SCHOOL_DAY + timedelta(days=race)
        registration = office.registers(now=later)
        said = at_once(lambda: office.accepts(registration), lambda: office.refuses(registration))  # noqa: B023  used within the turn
        assert said.count(Conflict) == 1


def test_a_child_that_has_left_gets_no_new_guardian(office: Office) -> None:
    registration = office.registers()
    office.goes_elsewhere()
    with pytest.raises(Conflict, match="không còn học"):
        office.accepts(registration)
    office.refuses(registration)


def test_who_may_not_see_the_bills_is_not_let_in_by_a_slip(office: Office) -> None:
    def bar(session: Session) -> None:
        make_guardian(session, office.vault, office.child, phone=DRAFT.contact, name="Nguyễn Văn Hòa")
        session.execute(text("UPDATE guardianships SET may_see_bills = false"))

    office.does(bar)
    for name in ("Nguyễn Văn Hòa", "Tên Khác"):
        registration = office.registers(replace(DRAFT, full_name=name))
        with pytest.raises(Conflict, match="không được xem khoản thu"):
            office.accepts(registration)
    office.accepts(office.registers(replace(DRAFT, contact="84987654321")))


# The way back.


def test_taking_back_is_a_new_row_and_stops_the_notices(office: Office) -> None:
    mother = office.accepts(office.registers())
    father = office.accepts(office.registers(replace(DRAFT, full_name="Lê Văn Hòa", contact="84987654321")))
    assert office.withdraws(father) == 1
    assert office.ties() == [
        ("Trần Thị Hồng", office.child.id, True, True),
        ("Lê Văn Hòa", office.child.id, True, False),
    ]
    given, his, back = office.consents()
    assert (back.action, back.withdraws_id, back.version) == ("withdrawn", his.id, NOTICES_1.version)
    assert given.registration_id != back.registration_id
    assert office.withdraws(father) == 0
    with office.database.transaction(Scope.of(office.school.id)) as session:
        assert [each.id for each in open_consents(session, [mother, father], office.child.id)] == [given.id]


def test_taking_back_for_one_child_leaves_the_other(office: Office) -> None:
    mother = office.accepts(office.registers())
    office.accepts(office.registers(child=office.sister))
    assert office.withdraws(mother) == 1
    assert [tie[3] for tie in office.ties()] == [False, True]


def test_it_can_be_taken_back_also_when_the_child_is_elsewhere_by_now(office: Office) -> None:
    mother = office.accepts(office.registers())
    office.goes_elsewhere()
    assert office.withdraws(mother) == 1
    assert [tie[3] for tie in office.ties()] == [False]


def test_a_button_pressed_twice_takes_back_once(office: Office) -> None:
    mother = office.accepts(office.registers())
    for race in range(RACES):
        assert sorted(map(str, at_once(*[lambda: office.withdraws(mother)] * 3))) == ["0", "0", "1"]
        office.accepts(office.registers(now=SCHOOL_DAY + timedelta(days=race + 1)))  # and agrees anew
    assert office.ties() == [("Trần Thị Hồng", office.child.id, True, True)]


def test_every_step_is_written_down_without_a_number(office: Office) -> None:
    mother = office.accepts(office.registers())
    office.refuses(office.registers(replace(DRAFT, contact="84987654321")))
    office.withdraws(mother)
    with office.database.transaction(EVERYTHING) as session:
        written = session.execute(text("SELECT action FROM audit_entries ORDER BY id")).scalars().all()
        details = session.execute(text("SELECT string_agg(d::text, ' ') FROM audit_details d")).scalar_one()
    assert written == [
        "contact_registered", "contact_accepted", "contact_registered", "contact_refused", "consent_withdrawn",
    ]  # fmt: skip
    assert "912345678" not in details
    assert "Trần Thị Hồng" not in details


def test_another_school_sees_nothing(office: Office) -> None:
    office.registers()
    with office.database.transaction(Scope.of(office.other.id)) as session:
        assert waiting_registrations(session, office.school.id) == []
        assert session.exec(select(Registration)).all() == []
        assert session.exec(select(Consent)).all() == []
