"""A message's words, made from rows at the moment of sending, in the plain view that any eye may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.events.tables import Event
from billing.people.tables import Contact, Guardian
from billing.vault import Vault
from notifications.channels.base import Message as Outgoing
from notifications.channels.esms import SmsMessage
from notifications.channels.mail import Attachment, Letter
from notifications.channels.zalo import TemplateMessage
from notifications.errors import UnfitText, Unreachable
from notifications.gathering import GivenReceipt, Links, change_facts, notice_facts, receipt_facts
from notifications.invite_facts import ContractLinks, invite_facts
from notifications.occasions import CONTACT_KIND, contacts
from notifications.quiet import SCHOOL_TIME
from notifications.rules import INVITATIONS, NOTICES, Kind, Via
from notifications.tables import Message
from notifications.wording.facts import ChangeFacts, Facts, InviteFacts, NoticeFacts
from notifications.wording.letters import LetterText, letter
from notifications.wording.plain import Language
from notifications.wording.sms import sms_text
from notifications.wording.zns import zns_params

_CHANGES = frozenset(
    {Kind.BILL_VOIDED, Kind.BILL_CREDITED, Kind.CREDIT_USED, Kind.PAYMENT_TAKEN_BACK, Kind.CARD_UNPAID}
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What writing messages takes besides the rows.

    ``links`` gives the pages of payment requests, ``contract_links`` those of contracts to be answered;
    ``receipt_pdfs`` prints receipts (their ids, each with its page); ``templates`` are Zalo's ids of our templates.
    """

    vault: Vault
    links: Links
    receipt_pdfs: Callable[[Session, Mapping[UUID, str]], Mapping[UUID, bytes]]
    templates: Mapping[tuple[Kind, Language], str]
    contract_links: ContractLinks


@dataclass(frozen=True, slots=True)
class Papers:
    """All that some messages of one school say: by guardian, by event or its subject, by receipt."""

    subjects: Mapping[int, UUID]
    guardians: Mapping[UUID, Guardian]
    contacts: Mapping[tuple[UUID, Via], Contact]
    notices: Mapping[UUID, NoticeFacts]
    changes: Mapping[int, ChangeFacts]
    invitations: Mapping[int, InviteFacts]
    receipts: Mapping[UUID, GivenReceipt]
    pdfs: Mapping[UUID, bytes]


def gather(
    session: Session, messages: Sequence[Message], events: Mapping[int, Event], desk: Desk, now: datetime
) -> Papers:
    """Read what the writing of some messages of one school takes, and print the receipts that go with letters."""
    school_id = messages[0].school_id
    subjects = {message.event_id: events[message.event_id].subject_id for message in messages}
    people = {message.guardian_id for message in messages}
    guardians = session.exec(select(Guardian).where(col(Guardian.id).in_(people))).all()
    about = {kind: {subjects[each.event_id] for each in messages if each.kind == kind} for kind in Kind}
    receipts = receipt_facts(session, school_id, about[Kind.PAYMENT_RECEIVED], desk.links)
    enclosed = {
        subjects[message.event_id]
        for message in messages
        if message.kind == Kind.PAYMENT_RECEIVED and message.channel == Via.MAIL
    }
    today = now.astimezone(SCHOOL_TIME).date()
    asked = {subject for kind in NOTICES for subject in about[kind]}
    changed = {each.event_id for each in messages if each.kind in _CHANGES}
    invited = [events[key] for key in sorted({each.event_id for each in messages if each.kind in INVITATIONS})]
    pages = {given.receipt_id: given.facts.link for payment, given in receipts.items() if payment in enclosed}
    return Papers(
        subjects=subjects,
        guardians={guardian.id: guardian for guardian in guardians},
        contacts=contacts(session, list(people), today),
        notices=notice_facts(session, school_id, asked, desk.links, today),
        changes=change_facts(session, school_id, [events[event_id] for event_id in changed], desk.links, today),
        invitations=invite_facts(session, school_id, invited, desk.links, desk.contract_links),
        receipts=receipts,
        pdfs=desk.receipt_pdfs(session, pages) if pages else {},
    )


def render(message: Message, papers: Papers, desk: Desk, now: datetime) -> Outgoing:
    """Write one message for its channel.

    Raises ``Unreachable`` when the contact is gone, ``UnfitText`` when something does not fit its template.
    """
    to = _address(message, papers, desk.vault)
    guardian = papers.guardians[message.guardian_id]
    language: Language = "en" if guardian.language == "en" else "vi"
    kind = Kind(message.kind)
    facts, enclosed = _facts(message, kind, papers)
    if message.channel == Via.ZALO:
        params = zns_params(kind, facts, guardian.full_name, language)
        return TemplateMessage(str(message.id), to, _template(desk, kind, language), params)
    if message.channel == Via.SMS:
        return SmsMessage(str(message.id), to, sms_text(kind, facts, language))
    words = letter(kind, facts, guardian.full_name, language)
    return _letter(message, to, words, facts.school.name, now, *enclosed)


def _facts(message: Message, kind: Kind, papers: Papers) -> tuple[Facts, tuple[Attachment, ...]]:
    """Return what the message is about, and what goes with it as a letter."""
    subject = papers.subjects[message.event_id]
    if kind in NOTICES:
        return papers.notices[subject], ()
    if kind in _CHANGES:
        change = papers.changes.get(message.event_id)
        if change is None:
            raise UnfitText("Thông báo thu này chưa có trang để phụ huynh xem.", bill=str(subject))
        return change, ()
    if kind in INVITATIONS:
        invitation = papers.invitations.get(message.event_id)
        if invitation is None:
            raise UnfitText("Trang mà gia đình cần mở không còn.", contract=str(subject))
        return invitation, ()
    given = papers.receipts.get(subject)
    if given is None:
        raise UnfitText("Khoản thu này chưa có trang để phụ huynh xem.", payment=str(subject))
    return given.facts, (_enclosure(given, papers),) if message.channel == Via.MAIL else ()


def _address(message: Message, papers: Papers, vault: Vault) -> str:
    via = Via(message.channel)
    contact = papers.contacts.get((message.guardian_id, via))
    if contact is None:
        raise Unreachable("Phụ huynh không còn liên lạc này.", channel=via, code="no_contact")
    return vault.open(contact.sealed, f"contacts.{CONTACT_KIND[via]}")


def _template(desk: Desk, kind: Kind, language: Language) -> str:
    template_id = desk.templates.get((kind, language)) or desk.templates.get((kind, "vi"))
    if not template_id:
        raise UnfitText("Chưa có mẫu Zalo cho loại tin này.", kind=kind)
    return template_id


def _letter(message: Message, to: str, words: LetterText, school: str, now: datetime, *files: Attachment) -> Letter:
    return Letter(
        tracking_id=str(message.id),
        to=to,
        subject=words.subject,
        text=words.text,
        html=words.html,
        written_at=now,
        from_name=school,
        attachments=files,
    )


def _enclosure(given: GivenReceipt, papers: Papers) -> Attachment:
    name = f"bien-lai-{given.facts.number.replace('/', '-')}.pdf"
    return Attachment(name, "application/pdf", papers.pdfs[given.receipt_id])
