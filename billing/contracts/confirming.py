"""A guardian agrees with a one-time code: to the words that stood on the page, of the version that the contract names.

The page hands back the digest of what it showed. Where a price or anything else has changed since, the answer is a
refusal, so that nobody agrees to what was not shown. Another version is another contract, and asks anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.choices.choosing import proven_guardian
from billing.contracts.agreeing import Agreement, agree
from billing.contracts.offering import words_of
from billing.contracts.stepping import hold_contract, today_of
from billing.contracts.tables import ContractAgreement, ContractStep
from billing.errors import Conflict


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who typed a right code: the used code's id, the contact that it went to, and the digest of what was shown."""

    code_id: UUID
    contact_kind: str
    contact_blind: bytes
    shown: bytes
    deposit_due: date


def confirm(  # noqa: PLR0913, PLR0917  to which contract, by whose code, with which key
    session: Session,
    school_id: UUID,
    contract_id: UUID,
    confirmed: Confirmed,
    actor: Actor,
    now: datetime,
    reference_key: bytes,
) -> ContractStep:
    """Keep that a guardian agreed with a code, and bill the deposit.

    Raises ``Conflict`` when the contract is not a draft any more or the page no longer says what holds, ``NotAllowed``
    for the contact of somebody who does not answer for the child, ``Refused`` as ``agree`` does.
    """
    contract = hold_contract(session, school_id, contract_id, "draft")
    words = words_of(session, contract, confirmed.deposit_due)
    if words.digest != confirmed.shown:
        raise Conflict("Nội dung hợp đồng vừa thay đổi. Xin mở lại đường dẫn, đọc lại rồi xác nhận.")
    today = today_of(now)
    contact = (confirmed.contact_kind, confirmed.contact_blind)
    guardian_id, masked = proven_guardian(session, contract.pupil_id, contact, today)
    kept = ContractAgreement(
        contract_id=contract.id,
        school_id=school_id,
        version_id=contract.version_id,
        guardian_id=guardian_id,
        contact_kind=confirmed.contact_kind,
        contact_masked=masked,
        code_id=confirmed.code_id,
        words=words.text,
        words_sha256=words.digest,
        at=now,
    )
    return agree(
        session, school_id, contract_id, Agreement(today, confirmed.deposit_due, code=kept), actor, now, reference_key
    )
