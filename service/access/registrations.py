"""Families register to be told: a link for each child, what they enter, their consent, and the school's word on it.

Until the school has accepted it, a registration is no guardian: whoever finds a slip can ask, and sees nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound
from billing.people.imported import name_key
from billing.people.reaching import masked_contact
from billing.people.tables import Contact, Enrolment, Guardian, Guardianship, Pupil, School
from billing.storage import new_id
from billing.vault import Vault
from service.access.consent_texts import NOTICES, VERSIONS
from service.access.guardian_tables import (
    Consent,
    GuardianCode,
    Registration,
    RegistrationDecision,
    RegistrationLink,
)
from service.access.links import digest
from service.access.registration_forms import Draft
from service.database import EVERYTHING, NOTHING, Scope, use_scope

FAMILY = Actor(user_id=None, role="family")
# A slip lies in a drawer until somebody has time; the next slip makes the same link last longer.
LASTS = timedelta(days=180)
_TOKEN_BYTES = 16
_LOCAL = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A registration that the school has to decide, with the child's name."""

    row: Registration
    pupil_name: str


def make_token(secret: bytes, school_id: UUID, pupil_id: UUID, version: int) -> str:
    """Return the 128-bit token of a child's registration link at a school as 22 base64url characters."""
    if len(secret) < 32:  # noqa: PLR2004  bytes of a SHA-256 key
        raise ValueError("the secret of registration links needs at least 32 bytes")
    words = b"hocphi register 1\0" + school_id.bytes + pupil_id.bytes + version.to_bytes(4)
    made = hmac.new(secret, words, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made[:_TOKEN_BYTES]).rstrip(b"=").decode()


def ensure_registration_links(  # noqa: PLR0913, PLR0917  as ensure_links, for children
    session: Session, link_key: bytes, base_url: str, school_id: UUID, pupils: Collection[UUID], now: datetime
) -> dict[UUID, str]:
    """Return the addresses of children's registration pages, by pupil, and make sure that they open.

    The same address each time, until it is revoked. The transaction is limited to the school.
    """
    ours = (RegistrationLink.school_id == school_id, col(RegistrationLink.pupil_id).in_(pupils))
    versions: dict[UUID, int] = {}
    for row in session.exec(select(RegistrationLink).where(*ours).order_by(col(RegistrationLink.version))).all():
        versions[row.pupil_id] = row.version + (row.revoked_at is not None)
    tokens = {pupil: make_token(link_key, school_id, pupil, versions.get(pupil, 1)) for pupil in pupils}
    rows = [
        {
            "token_hash": digest(token),
            "school_id": school_id,
            "pupil_id": pupil,
            "version": versions.get(pupil, 1),
            "created_at": now,
            "expires_at": now + LASTS,
        }
        for pupil, token in tokens.items()
    ]
    if rows:
        session.execute(
            insert(RegistrationLink).on_conflict_do_update(
                index_elements=["token_hash"], set_={"expires_at": now + LASTS}
            ),
            rows,
        )
    return {pupil: f"{base_url}/dk/{token}" for pupil, token in tokens.items()}


def revoke_registration_link(session: Session, school_id: UUID, pupil_id: UUID, now: datetime) -> None:
    """End a child's registration link; the next slip carries another one."""
    session.execute(
        update(RegistrationLink)
        .where(
            col(RegistrationLink.school_id) == school_id,
            col(RegistrationLink.pupil_id) == pupil_id,
            col(RegistrationLink.revoked_at).is_(None),
        )
        .values(revoked_at=now)
    )


def opened_by(session: Session, link_digest: bytes, now: datetime) -> RegistrationLink | None:
    """Return the link with this digest if it still opens, and limit the transaction to its school.

    It ends with the studies at the school, as the consent says.
    """
    link = session.get(RegistrationLink, link_digest)
    if link is None or link.revoked_at is not None or now >= link.expires_at:
        return None
    use_scope(session, Scope.of(link.school_id))
    return link if _studies_here(session, link.school_id, link.pupil_id) else None


def store_registration(  # noqa: PLR0913, PLR0917  everything is about one row
    session: Session, vault: Vault, link: RegistrationLink, code: GuardianCode, draft: Draft, now: datetime
) -> Registration:
    """Store who registered, with a contact just proved by ``code``, and the consent in the words that were read."""
    context = f"contacts.{draft.kind}"
    row = Registration(
        school_id=link.school_id,
        pupil_id=link.pupil_id,
        code_id=code.id,
        full_name=draft.full_name,
        relation=draft.relation.value,
        kind=draft.kind,
        sealed=vault.seal(draft.contact, context),
        blind=vault.blind(draft.contact, context),
        masked=masked_contact(draft.kind, draft.contact),
        made_at=now,
    )
    session.add(row)
    session.flush()
    wording = VERSIONS[draft.agreed_to]
    session.add(
        Consent(
            school_id=link.school_id,
            registration_id=row.id,
            action="given",
            purpose=NOTICES,
            version=wording.version,
            wording_digest=wording.digest(),
            at=now,
        )
    )
    code.about_sealed = None
    session.add(code)
    deed = Deed(link.school_id, "contact_registered", "registration", str(row.id))
    record_deed(session, FAMILY, deed, now, pupil=str(link.pupil_id), contact=row.masked, consent=wording.version)
    return row


def waiting_registrations(session: Session, school_id: UUID) -> list[Waiting]:
    """Return what the school has not decided yet, oldest first."""
    rows = session.exec(
        select(Registration, Pupil.full_name)
        .join(Pupil, col(Pupil.id) == col(Registration.pupil_id))
        .outerjoin(RegistrationDecision, col(RegistrationDecision.registration_id) == col(Registration.id))
        .where(Registration.school_id == school_id, col(RegistrationDecision.registration_id).is_(None))
        .order_by(col(Registration.made_at), col(Registration.id))
    ).all()
    return [Waiting(row, name) for row, name in rows]


def accept_registration(
    session: Session, school_id: UUID, registration_id: UUID, actor: Actor, now: datetime
) -> Guardian:
    """Make a guardian of a registration, or bind the child to the same person whom this school knows already."""
    row = _undecided(session, school_id, registration_id)
    if not _studies_here(session, school_id, row.pupil_id):
        raise Conflict("Em không còn học ở trường. Xin từ chối đăng ký này; liên lạc sẽ được xóa.")
    _refuse_barred(session, row)
    today = now.astimezone(_LOCAL).date()
    guardian = _known(session, row, today) or _entered(session, row, today)
    _tie(session, guardian, row, today)
    _decide(session, row, actor, now, "accepted", guardian=guardian.id)
    return guardian


def refuse_registration(  # noqa: PLR0913, PLR0917  whose, by whom, why, when
    session: Session, school_id: UUID, registration_id: UUID, actor: Actor, reason: str, now: datetime
) -> None:
    """Refuse a registration, and forget name and contact of who asked."""
    row = _undecided(session, school_id, registration_id)
    _decide(session, row, actor, now, "refused", reason=reason)
    row.full_name, row.masked, row.sealed, row.blind = "", "", b"", b""
    session.add(row)
    session.flush()


def open_consents(session: Session, guardians: Collection[UUID], pupil_id: UUID) -> list[Consent]:
    """Return what these guardians agreed to for a child and have not taken back."""
    taken_back = select(Consent.withdraws_id).where(col(Consent.withdraws_id).is_not(None))
    return list(
        session.exec(
            select(Consent)
            .join(Registration, col(Registration.id) == col(Consent.registration_id))
            .join(RegistrationDecision, col(RegistrationDecision.registration_id) == col(Registration.id))
            .where(
                col(RegistrationDecision.guardian_id).in_(guardians),
                Registration.pupil_id == pupil_id,
                Consent.action == "given",
                col(Consent.id).not_in(taken_back),
            )
            .order_by(col(Consent.id))
        ).all()
    )


def withdraw_consents(session: Session, guardians: Collection[UUID], pupil_id: UUID, now: datetime) -> int:
    """Take back what these guardians agreed to for a child; they are told nothing more about it.

    At whichever school: a child may have gone to another one since. Leaves the transaction without scope.
    """
    # One after the other: a button pressed twice takes back once.
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended('consents ' || :pupil, 0))")
    session.execute(lock, {"pupil": str(pupil_id)})
    use_scope(session, EVERYTHING)
    given = open_consents(session, guardians, pupil_id)
    for consent in given:
        session.add(
            Consent(
                school_id=consent.school_id,
                registration_id=consent.registration_id,
                action="withdrawn",
                purpose=consent.purpose,
                version=consent.version,
                wording_digest=consent.wording_digest,
                withdraws_id=consent.id,
                at=now,
            )
        )
        deed = Deed(consent.school_id, "consent_withdrawn", "registration", str(consent.registration_id))
        record_deed(session, FAMILY, deed, now, pupil=str(pupil_id), purpose=consent.purpose)
    if given:
        session.execute(
            update(Guardianship)
            .where(col(Guardianship.guardian_id).in_(guardians), col(Guardianship.pupil_id) == pupil_id)
            .values(receives_notices=False)
        )
        session.flush()
    use_scope(session, NOTHING)
    return len(given)


def _studies_here(session: Session, school_id: UUID, pupil_id: UUID) -> bool:
    found = select(Enrolment.id).where(
        Enrolment.school_id == school_id, Enrolment.pupil_id == pupil_id, Enrolment.state == "studying"
    )
    return session.exec(found).first() is not None


def _refuse_barred(session: Session, row: Registration) -> None:
    """Raise ``Conflict`` where this very contact belongs to somebody who may not see this child's bills.

    Somebody has decided that; a slip found in a school bag does not undo it.
    """
    barred = session.exec(
        select(Guardianship.id)
        .join(Contact, col(Contact.guardian_id) == col(Guardianship.guardian_id))
        .where(
            Guardianship.pupil_id == row.pupil_id,
            col(Guardianship.may_see_bills).is_(False),
            Contact.kind == row.kind,
            Contact.blind == row.blind,
        )
    ).first()
    if barred is not None:
        raise Conflict("Liên lạc này là của người không được xem khoản thu của em. Xin từ chối, hoặc hỏi hiệu trưởng.")


def _undecided(session: Session, school_id: UUID, registration_id: UUID) -> Registration:
    row = session.exec(
        select(Registration)
        .where(Registration.id == registration_id, Registration.school_id == school_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("Không có đăng ký này. Xin mở lại danh sách liên hệ chờ xác nhận.")
    if session.get(RegistrationDecision, registration_id) is not None:
        raise Conflict("Đăng ký này đã có người xử lý. Xin tải lại danh sách liên hệ chờ xác nhận.")
    return row


def _known(session: Session, row: Registration, today: date) -> Guardian | None:
    """Return the guardian of this name and contact whom this very school entered, such as a sister's mother."""
    found: Sequence[Guardian] = session.exec(
        select(Guardian)
        .join(Contact, col(Contact.guardian_id) == col(Guardian.id))
        .where(
            Guardian.entered_by_school_id == row.school_id,
            Contact.kind == row.kind,
            Contact.blind == row.blind,
            col(Contact.valid_to).is_(None),
            col(Contact.valid_from) <= today,
        )
        .order_by(col(Guardian.id))
    ).all()
    return next((each for each in found if name_key(each.full_name) == name_key(row.full_name)), None)


def _entered(session: Session, row: Registration, today: date) -> Guardian:
    school = session.get_one(School, row.school_id)
    guardian = Guardian(
        id=new_id(), province_id=school.province_id, entered_by_school_id=school.id, full_name=row.full_name
    )
    session.add(guardian)
    session.flush()
    session.add(
        Contact(
            guardian_id=guardian.id,
            kind=row.kind,
            sealed=row.sealed,
            blind=row.blind,
            masked=row.masked,
            valid_from=today,
        )
    )
    return guardian


def _tie(session: Session, guardian: Guardian, row: Registration, today: date) -> None:
    tie = session.exec(
        select(Guardianship).where(Guardianship.guardian_id == guardian.id, Guardianship.pupil_id == row.pupil_id)
    ).one_or_none()
    if tie is None:
        tie = Guardianship(guardian_id=guardian.id, pupil_id=row.pupil_id, relation=row.relation, valid_from=today)
    tie.may_see_bills, tie.receives_notices, tie.valid_to = True, True, None
    session.add(tie)
    session.flush()


def _decide(  # noqa: PLR0913  one row, one line of the audit
    session: Session,
    row: Registration,
    actor: Actor,
    now: datetime,
    verdict: str,
    *,
    reason: str = "",
    guardian: UUID | None = None,
) -> None:
    if actor.user_id is None:
        raise ValueError("a person decides")
    session.add(
        RegistrationDecision(
            registration_id=row.id,
            school_id=row.school_id,
            verdict=verdict,
            reason=reason,
            guardian_id=guardian,
            decided_by=actor.user_id,
            at=now,
        )
    )
    deed = Deed(row.school_id, f"contact_{verdict}", "registration", str(row.id), reason)
    record_deed(session, actor, deed, now, pupil=str(row.pupil_id), contact=row.masked)
