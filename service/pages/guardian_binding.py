"""The desk of the pages of guardians on rows: codes, sessions, explanations, registrations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor as DeedActor
from billing.audit.recording import Deed, record_deed
from billing.errors import NotFound, Refused
from billing.people.reaching import masked_contact
from billing.people.tables import Contact, Pupil
from notifications.wording.codes import CodeFacts, Purpose
from notifications.wording.facts import SchoolInWords
from notifications.wording.plain import Language
from service.access import guardian_codes, guardian_sessions, links, registrations, staff
from service.access.guardian_codes import LIFETIME, Outcome, Reached, Wanted
from service.access.guardian_sessions import Proved
from service.access.registration_forms import Draft, read_draft
from service.access.roles import Actor, Place, SignedIn
from service.access.staff import Noted
from service.access.tables import LinkToken
from service.code_sending import CodeToSend, code_kinds
from service.database import Scope, use_scope
from service.pages import family_rows, guardian_rows
from service.pages.desk import Caller
from service.pages.guardian_views import (
    ContactChoice,
    ExplainedPage,
    FullView,
    RegisterPage,
    SentCode,
    TypedRegistration,
    WaitingContact,
)
from service.pages.within import RowsWithin
from service.wiring import Wiring, derived_key

_EXPLAIN: Purpose = "explain"
_REGISTER: Purpose = "register"
_ABOUT = "guardian_codes.about"
_GUARDIAN_ROLE = "guardian"


class GuardianRows(RowsWithin):
    """What guardians ask for, answered from rows. ``codes`` are to be sent after the commit."""

    def __init__(self, session: Session, caller: Caller, wiring: Wiring) -> None:
        super().__init__(session, caller, wiring)
        self.codes: list[CodeToSend] = []

    def explained(
        self, link_digest: bytes, token: str, session_digest: bytes | None, language: str, now: datetime
    ) -> ExplainedPage | None:
        """Return the explanation: full for a session of this child's guardian, else plain."""
        proved = self._proved(session_digest, now)
        link = links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        opened = family_rows.open_request(self._session, link, now)
        pupil_id = opened.request.pupil_id
        plain = family_rows.bill_page(self._session, opened, token)
        full = None
        if proved is not None and self._is_hers(link, proved, pupil_id, now):
            full = FullView(
                child_name=self._session.get_one(Pupil, pupil_id).full_name,
                bills=tuple(guardian_rows.full_bills(self._session, link.school_id, opened.balances, language)),
                until=proved.until,
                told=bool(registrations.open_consents(self._session, proved.guardians, pupil_id)),
            )
            deed = Deed(link.school_id, "explanation_opened", "payment_request", str(link.request_id))
            who = [str(each) for each in proved.guardians]
            record_deed(self._session, self._guardian(), deed, now, guardians=who, pupil=str(pupil_id))
        choices, unreachable = self._contact_choices(link.school_id, pupil_id, now)
        return ExplainedPage(plain, choices, unreachable, signed_in=proved is not None, full=full)

    def _contact_choices(
        self, school_id: UUID, pupil_id: UUID, now: datetime
    ) -> tuple[tuple[ContactChoice, ...], bool]:
        """Return the contacts that a code can be sent to, and whether there are only others."""
        found = guardian_sessions.contact_choices(self._session, pupil_id, now)
        kinds = self._code_kinds(school_id)
        usable = tuple(ContactChoice(key, each.kind, each.masked) for key, each in found if each.kind in kinds)
        return usable, bool(found) and not usable

    def send_code(self, link_digest: bytes, contact: int, language: str, now: datetime) -> UUID | None:
        """Send a code to one of the child's contacts."""
        link = links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        pupil_id = family_rows.open_request(self._session, link, now).request.pupil_id
        choices = dict(guardian_sessions.contact_choices(self._session, pupil_id, now))
        chosen = choices.get(contact)
        if chosen is None or chosen.kind not in self._code_kinds(link.school_id):
            raise NotFound("Cách liên lạc này không còn. Xin tải lại trang rồi chọn lại.")
        sealed = self._session.get_one(Contact, contact).sealed
        address = self._wiring.vault.open(sealed, f"contacts.{chosen.kind}")
        wanted = Wanted(link.school_id, _EXPLAIN, link_digest, chosen)
        return self._issue(wanted, _EXPLAIN, address, language, now)

    def sent_code(self, link_digest: bytes, code_id: UUID, now: datetime) -> SentCode | None:
        """Return what is known of a code that was asked for on this link."""
        if links.opened_by(self._session, link_digest, now) is None:
            return None
        return self._sent(_EXPLAIN, link_digest, code_id, now)

    def use_code(self, link_digest: bytes, code_id: UUID, typed: str, fresh: bytes, now: datetime) -> Outcome | None:
        """Try a code; when it is right, a session begins under the digest ``fresh``."""
        link = links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        row = guardian_codes.find_code(self._session, _EXPLAIN, link_digest, code_id)
        if row is None:
            return Outcome.ENDED
        outcome = guardian_codes.try_code(self._session, self._code_key, row, typed, now)
        self._note("guardian_code", outcome.value, link.school_id, now)
        if outcome is Outcome.RIGHT:
            guardian_sessions.start_session(self._session, fresh, row.contact_kind, row.contact_blind, now)
        return outcome

    def end_guardian(self, session_digest: bytes, now: datetime) -> None:
        """End a guardian's session."""
        guardian_sessions.end_session(self._session, session_digest, now)

    def stop_notices(self, link_digest: bytes, session_digest: bytes, now: datetime) -> bool | None:
        """Take consents back; false when there is no session of this child's guardian."""
        proved = self._proved(session_digest, now)
        link = links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        pupil_id = family_rows.open_request(self._session, link, now).request.pupil_id
        if proved is None or not self._is_hers(link, proved, pupil_id, now):
            return False
        registrations.withdraw_consents(self._session, proved.guardians, pupil_id, now)
        return True

    # Registration by a family.

    def register_page(self, link_digest: bytes, now: datetime) -> RegisterPage | None:
        """Return the form."""
        link = registrations.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        return guardian_rows.register_page(self._session, link, self._code_kinds(link.school_id))

    def ask_to_register(
        self, link_digest: bytes, typed: TypedRegistration, language: str, now: datetime
    ) -> UUID | None:
        """Send a code to what was typed."""
        link = registrations.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        draft = read_draft(typed.full_name, typed.relation, typed.contact, typed.agreed_to)
        if draft.kind not in self._code_kinds(link.school_id):
            word = "số điện thoại" if draft.kind == "phone" else "e-mail"
            raise Refused(
                f"Hiện chưa gửi mã tới {word} được. Xin ghi cách liên lạc khác hoặc đến văn phòng nhà trường."
            )
        vault = self._wiring.vault
        contact = Reached(
            draft.kind,
            vault.blind(draft.contact, f"contacts.{draft.kind}"),
            masked_contact(draft.kind, draft.contact),
        )
        wanted = Wanted(link.school_id, _REGISTER, link_digest, contact, vault.seal(draft.to_json(), _ABOUT))
        return self._issue(wanted, _REGISTER, draft.contact, language, now)

    def register_code(self, link_digest: bytes, code_id: UUID, now: datetime) -> SentCode | None:
        """Return what is known of a code that was asked for on this link."""
        if registrations.opened_by(self._session, link_digest, now) is None:
            return None
        return self._sent(_REGISTER, link_digest, code_id, now)

    def finish_registering(self, link_digest: bytes, code_id: UUID, typed: str, now: datetime) -> Outcome | None:
        """Try a code; when it is right, the registration is stored and waits for the school."""
        link = registrations.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        row = guardian_codes.find_code(self._session, _REGISTER, link_digest, code_id)
        if row is None or row.about_sealed is None:
            return Outcome.ENDED
        about = row.about_sealed
        outcome = guardian_codes.try_code(self._session, self._code_key, row, typed, now)
        self._note("registration_code", outcome.value, link.school_id, now)
        if outcome is Outcome.RIGHT:
            vault = self._wiring.vault
            draft = Draft.from_json(vault.open(about, _ABOUT))
            registrations.store_registration(self._session, vault, link, row, draft, now)
        return outcome

    def waiting_contacts(self, who: SignedIn, place: Place) -> tuple[WaitingContact, ...]:
        """Return what families entered and the school has not decided."""
        del who
        session = self._within(place)
        found = registrations.waiting_registrations(session, place.id)
        return guardian_rows.waiting_contacts(session, found, self._wiring.clock())

    def accept_contact(self, who: SignedIn, place: Place, registration_id: UUID, now: datetime) -> None:
        """Accept a registration."""
        session, actor = self._within(place), self._actor(who, _office_role(who, place))
        registrations.accept_registration(session, place.id, registration_id, actor, now)

    def refuse_contact(self, who: SignedIn, place: Place, registration_id: UUID, reason: str, now: datetime) -> None:
        """Refuse a registration."""
        session, actor = self._within(place), self._actor(who, _office_role(who, place))
        registrations.refuse_registration(session, place.id, registration_id, actor, reason, now)

    def _code_kinds(self, school_id: UUID) -> frozenset[str]:
        return code_kinds(self._session, self._wiring.settings, school_id)

    @property
    def _code_key(self) -> bytes:
        return code_key(self._wiring)

    def _proved(self, session_digest: bytes | None, now: datetime) -> Proved | None:
        """Return who is behind a guardian's session; asked before the link, which sets the scope."""
        return None if session_digest is None else guardian_sessions.read_session(self._session, session_digest, now)

    def _is_hers(self, link: LinkToken, proved: Proved, pupil_id: UUID, now: datetime) -> bool:
        use_scope(self._session, Scope(schools=(link.school_id,), guardians=proved.guardians))
        return guardian_sessions.may_see(self._session, proved.guardians, pupil_id, now)

    def _guardian(self) -> DeedActor:
        return DeedActor(None, _GUARDIAN_ROLE, self._caller.request_id)

    def _note(self, action: str, outcome: str, school_id: UUID, now: datetime) -> None:
        caller = self._caller
        staff.note(self._session, Noted(action, outcome, None, school_id, caller.address, caller.request_id), now)

    def _sent(self, purpose: Purpose, link_digest: bytes, code_id: UUID, now: datetime) -> SentCode | None:
        row = guardian_codes.find_code(self._session, purpose, link_digest, code_id)
        return None if row is None else guardian_rows.sent_code(self._session, row, now)

    def _issue(self, wanted: Wanted, purpose: Purpose, address: str, language: str, now: datetime) -> UUID:
        row, code = guardian_codes.issue_code(self._session, self._code_key, wanted, now)
        deed = Deed(wanted.school_id, "code_sent", "guardian_code", str(row.id))
        record_deed(self._session, self._guardian(), deed, now, purpose=purpose, contact=wanted.contact.masked)
        school = guardian_rows.school_face(self._session, wanted.school_id)
        facts = CodeFacts(SchoolInWords(school.name, school.phone), code, purpose, int(LIFETIME.total_seconds() // 60))
        spoken: Language = "en" if language == "en" else "vi"
        to = wanted.contact
        self.codes.append(
            CodeToSend(wanted.school_id, row.id, to.kind, to.blind, address, to.masked, facts, spoken, now)
        )
        return row.id


def code_key(wiring: Wiring) -> bytes:
    """Return the 32-byte key of the digests of one-time codes."""
    return derived_key(wiring.settings, "guardian codes 1")


def _office_role(who: SignedIn, place: Place) -> Actor:
    ranked = (Actor.ACCOUNTANT, Actor.APPROVER)
    return next(role for role in ranked if role in who.roles_in(place))
