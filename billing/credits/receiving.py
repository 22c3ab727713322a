"""The account that a guardian enters, after a one-time code, for money that goes back to the family.

Evidence is kept: which guardian, by which proven contact, in which session, when. The newest of a child counts; nothing
is edited. A refund may take it as it stands, since whoever answers for the child named it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.choosing import Chooser, answers, proven_guardian
from billing.credits.payee import GUARDIAN, Payee, refuse_payee
from billing.credits.receiving_tables import PayeeAccount
from billing.credits.refunding import payee_of
from billing.credits.tables import RefundLine
from billing.errors import Conflict
from billing.people.tables import Guardianship
from billing.storage import among
from billing.vault import Vault

HOLDER_CONTEXT, ACCOUNT_CONTEXT = "payee_accounts.holder", "payee_accounts.account"
_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account as a guardian typed it: BIN of the bank, number, holder."""

    bank_bin: str
    account: str
    holder: str


def read_account(bank_bin: str, account: str, holder: str) -> NewAccount:
    """Return what was typed, tidied: blanks and dots out of the number, the name in NFC; raises ``Refused``."""
    number = "".join(sign for sign in account if sign not in " .-")
    name = " ".join(unicodedata.normalize("NFC", holder).split())
    refuse_payee(Payee(name, bank_bin.strip(), number or "-", GUARDIAN))
    return NewAccount(bank_bin.strip(), number, name)


def enter_account(  # noqa: PLR0913, PLR0917  whose child, who says so, what and when
    session: Session, vault: Vault, school_id: UUID, chooser: Chooser, new: NewAccount, actor: Actor, now: datetime
) -> PayeeAccount:
    """Keep the account that a proven guardian entered; raises ``NotAllowed`` for the guardian of another child."""
    contact = (chooser.contact_kind, chooser.contact_blind)
    guardian, masked = proven_guardian(session, chooser.pupil_id, contact, (now + _VIET_NAM).date(), chooser.guardians)
    row = PayeeAccount(
        school_id=school_id,
        pupil_id=chooser.pupil_id,
        guardian_id=guardian,
        bank_bin=new.bank_bin,
        holder_sealed=vault.seal(new.holder, HOLDER_CONTEXT),
        account_sealed=vault.seal(new.account, ACCOUNT_CONTEXT),
        account_masked=Payee(account=new.account).masked,
        contact_kind=chooser.contact_kind,
        contact_masked=masked,
        session_hash=chooser.session_hash,
        at=now,
    )
    session.add(row)
    session.flush()
    deed = Deed(school_id, "payee_account.enter", "payee_account", str(row.id))
    record_deed(session, actor, deed, now, guardian=str(guardian), pupil=str(row.pupil_id), account=row.account_masked)
    return row


def accounts_of(session: Session, school_id: UUID, pupils: Collection[UUID], today: date) -> dict[UUID, PayeeAccount]:
    """Return the newest account that somebody entered who answers for the pupil today, by pupil.

    What was entered by a guardian of before (a parent who has lost the right, a link that ended) is nobody's any more.
    """
    rows = session.exec(
        select(PayeeAccount)
        .where(
            PayeeAccount.school_id == school_id,
            among(PayeeAccount.pupil_id, pupils),
            select(Guardianship.id)
            .where(
                Guardianship.pupil_id == PayeeAccount.pupil_id,
                Guardianship.guardian_id == PayeeAccount.guardian_id,
                answers(today),
            )
            .exists(),
        )
        .order_by(col(PayeeAccount.at), col(PayeeAccount.id))
    ).all()
    return {row.pupil_id: row for row in rows}


def refuse_replaced(session: Session, vault: Vault, lines: Collection[RefundLine], today: date) -> None:
    """Raise ``Conflict`` for a guardian's account that was replaced, or whose guardian has lost the child's bills."""
    of_guardians = [line for line in lines if line.payee_source == GUARDIAN and line.pupil_id is not None]
    for line in of_guardians:
        whose = line.pupil_id
        row = accounts_of(session, line.school_id, [whose], today).get(whose) if whose else None
        if row is None or guardian_payee(vault, row).account != payee_of(vault, line).account:
            raise Conflict(
                f"Tài khoản nhận {line.account_masked} của một khoản {line.amount} nay không dùng được: phụ huynh đã "
                "đổi tài khoản, hoặc người nhập không còn là phụ huynh của em. Hãy từ chối hoặc rút lại, rồi lập lại.",
                line=line.id,
            )


def guardian_payee(vault: Vault, row: PayeeAccount) -> Payee:
    """Return, opened, where money of a pupil goes by the guardian's word."""
    return Payee(
        vault.open(row.holder_sealed, HOLDER_CONTEXT),
        row.bank_bin,
        vault.open(row.account_sealed, ACCOUNT_CONTEXT),
        GUARDIAN,
        f"Phụ huynh nhập ngày {row.at + _VIET_NAM:%d/%m/%Y}, xác nhận bằng mã gửi tới {row.contact_masked}",
    )
