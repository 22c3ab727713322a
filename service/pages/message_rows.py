"""The messages of a school as its office sees them: by which channel, what became of them, what the provider said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from billing.people.tables import Contact, Guardian, Pupil
from notifications.quiet import SCHOOL_TIME
from notifications.sms_budget import this_month
from notifications.sms_tables import SmsText
from notifications.tables import Message, MessageAttempt
from service.pages.message_views import CHANNEL_NAMES, SentMessage, SmsMonth
from service.pages.slip_rows import STATE_NAMES

SHOWN = 100
KIND_NAMES = {
    "bill_issued": "Thông báo thu",
    "bill_replaced": "Thông báo thu thay thông báo cũ",
    "bill_voided": "Thu hồi thông báo thu",
    "bill_credited": "Sửa thông báo thu",
    "credit_used": "Trừ tiền tồn",
    "bill_reminded": "Nhắc nộp",
    "contract_offered": "Mời trả lời hợp đồng",
    "choice_offered": "Mời đăng ký",
    "payment_received": "Biên lai",
    "payment_taken_back": "Tiền nộp bị thu hồi hoặc hoàn về thẻ",
}
_SMS_STATES = {
    "accepted": "nhà mạng đã nhận, chưa báo đến máy",
    "delivered": "đã đến máy",
    "undelivered": "không đến máy",
}
_CONTACT_OF = {"zalo": "phone", "sms": "phone", "email": "email"}


def sms_month(session: Session, school_id: UUID, now: datetime, *, ready: bool) -> SmsMonth:
    """Return the running month's figures."""
    month = this_month(session, school_id, now)
    first = now.astimezone(SCHOOL_TIME).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    codes = session.exec(
        select(func.count())
        .select_from(SmsText)
        .where(
            SmsText.school_id == school_id,
            SmsText.at >= first,
            SmsText.state != "refused",
            col(SmsText.code_id).is_not(None),
        )
    ).one()
    return SmsMonth(ready, month.monthly, month.used, codes, month.delivered, month.undelivered, month.told, month.cost)


def newest_messages(session: Session, school_id: UUID, channel: str) -> list[SentMessage]:
    """Return the newest messages that were tried or wait, of one channel or of all; what was put aside is left out."""
    wanted = [Message.channel == channel] if channel in CHANNEL_NAMES else []
    rows = session.exec(
        select(Message, Pupil.full_name, Guardian.full_name)
        .join(Pupil, col(Pupil.id) == col(Message.pupil_id))
        .join(Guardian, col(Guardian.id) == col(Message.guardian_id))
        .where(Message.school_id == school_id, Message.state != "superseded", *wanted)
        .where((col(Message.next_try_at).is_not(None)) | (col(Message.state) != "pending"))
        .order_by(col(Message.made_at).desc(), col(Message.id))
        .limit(SHOWN)
    ).all()
    messages = [message for message, _, _ in rows]
    contacts = _contacts(session, {message.guardian_id for message in messages})
    said = _said(session, school_id, messages)
    texts = _texts(session, school_id, messages)
    return [
        SentMessage(
            at=message.made_at,
            pupil=pupil,
            guardian=guardian,
            contact=contacts.get((message.guardian_id, _CONTACT_OF[message.channel]), ""),
            channel=CHANNEL_NAMES[message.channel],
            what=KIND_NAMES.get(message.kind, message.kind),
            state=_state(message, texts.get(message.id)),
            code=said[message.id].provider_code if message.id in said else "",
            words=_words(said.get(message.id)),
        )
        for message, pupil, guardian in rows
    ]


def _state(message: Message, text: SmsText | None) -> str:
    told = "" if text is None else _SMS_STATES.get(text.state, "")
    return told or STATE_NAMES[message.state]


def _words(attempt: MessageAttempt | None) -> str:
    """Return our sentence about a try that was not accepted; of an accepted one there is only what programs read."""
    return "" if attempt is None or attempt.outcome == "accepted" else attempt.provider_text


def _contacts(session: Session, guardians: Collection[UUID]) -> dict[tuple[UUID, str], str]:
    rows = session.exec(
        select(Contact.guardian_id, Contact.kind, Contact.masked)
        .where(col(Contact.guardian_id).in_(guardians), col(Contact.valid_to).is_(None))
        .order_by(col(Contact.id))
    ).all()
    return {(guardian, kind): shown for guardian, kind, shown in rows}


def _said(session: Session, school_id: UUID, messages: Sequence[Message]) -> dict[UUID, MessageAttempt]:
    """Return what was said last of each message."""
    rows = session.exec(
        select(MessageAttempt)
        .where(
            MessageAttempt.school_id == school_id,
            col(MessageAttempt.message_id).in_([message.id for message in messages]),
        )
        .order_by(col(MessageAttempt.id))
    ).all()
    return {row.message_id: row for row in rows}


def _texts(session: Session, school_id: UUID, messages: Sequence[Message]) -> dict[UUID, SmsText]:
    wanted = [message.id for message in messages if message.channel == "sms"]
    rows = session.exec(
        select(SmsText).where(SmsText.school_id == school_id, col(SmsText.message_id).in_(wanted))
    ).all()
    return {row.message_id: row for row in rows if row.message_id is not None}
