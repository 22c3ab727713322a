"""A guardian agrees to a contract: on paper with its file and date, or with a one-time code; the deposit is billed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.contracts.deposits import bill_deposit
from billing.contracts.reading import find_version, terms_of
from billing.contracts.stepping import Taken, hold_contract, person, take, today_of
from billing.contracts.tables import Contract, ContractAgreement, ContractPaper, ContractStep, ContractVersion
from billing.errors import NotFound, Refused
from billing.plans.papers import Paper


@dataclass(frozen=True, slots=True)
class Agreement:
    """When and how a guardian agreed: a signed ``paper``, or by code what is kept of it, see ``confirming``."""

    day: date
    deposit_due: date
    paper: Paper | None = None
    code: ContractAgreement | None = None


def agree(  # noqa: PLR0913, PLR0917  to what, how, entered by whom, with which key
    session: Session,
    school_id: UUID,
    contract_id: UUID,
    agreement: Agreement,
    actor: Actor,
    now: datetime,
    reference_key: bytes,
) -> ContractStep:
    """Keep that a guardian agreed, with the digest of the words, and bill the deposit of who is not enrolled yet.

    Raises ``Refused`` without evidence, for a day that has not come or lies before the version, or a deposit that
    would be due before today; ``Conflict`` when the contract is not a draft.
    """
    contract = hold_contract(session, school_id, contract_id, "draft")
    version = find_version(session, school_id, contract.version_id)
    today = today_of(now)
    if not version.valid_from <= agreement.day <= today:
        raise Refused(f"Ngày ký phải từ {version.valid_from:%d/%m/%Y} đến hôm nay.")
    if (agreement.paper is None) == (agreement.code is None):
        raise Refused("Hãy tải tệp hợp đồng đã ký lên, hoặc để phụ huynh xác nhận bằng mã dùng một lần.")
    paper = add_paper(session, contract, agreement.paper, actor, now) if agreement.paper else None
    terms, bill_id = terms_of(session, contract), None
    if terms.deposit is not None:
        if agreement.deposit_due < today:
            raise Refused("Hạn nộp tiền giữ chỗ không được trước hôm nay.")
        bill_id = bill_deposit(session, contract, terms.deposit, agreement.deposit_due, now, reference_key)
    facts: dict[str, Any] = {"words": words_digest(version), "version": version.code}
    if agreement.code is not None:
        session.add(agreement.code)
        session.flush()
        facts |= {"code": str(agreement.code.code_id), "confirmed": agreement.code.words_sha256.hex()}
    taken = Taken(
        kind="agreed",
        day=agreement.day,
        way="paper" if paper else "code",
        paper_id=paper.id if paper else None,
        bill_id=bill_id,
        facts=facts,
    )
    return take(session, contract, actor, taken, now)


def words_digest(version: ContractVersion) -> str:
    """Return the SHA-256 (hex) of the title and text that were agreed to."""
    return hashlib.sha256(f"{version.title}\n{version.body}".encode()).hexdigest()


def add_paper(session: Session, contract: Contract, paper: Paper, actor: Actor, now: datetime) -> ContractPaper:
    """Keep a file behind a contract."""
    row = ContractPaper(
        school_id=contract.school_id,
        contract_id=contract.id,
        name=paper.name,
        media_type=paper.media_type,
        sha256=hashlib.sha256(paper.content).digest(),
        content=paper.content,
        made_by=person(actor),
        made_at=now,
    )
    session.add(row)
    session.flush()
    deed = Deed(contract.school_id, "contract.add_paper", "contract", str(contract.id))
    record_deed(session, actor, deed, now, paper=str(row.id), sha256=row.sha256.hex())
    return row


def open_paper(  # noqa: PLR0913, PLR0917  which paper of which contract, by whom
    session: Session, school_id: UUID, contract_id: UUID, paper_id: UUID, actor: Actor, now: datetime
) -> ContractPaper:
    """Return a file of a contract, and write down who opened it; raises ``NotFound``."""
    row = session.exec(
        select(ContractPaper).where(
            ContractPaper.school_id == school_id,
            ContractPaper.contract_id == contract_id,
            ContractPaper.id == paper_id,
        )
    ).one_or_none()
    if row is None:
        raise NotFound("Không tìm thấy tệp này trong hợp đồng.", paper=paper_id)
    deed = Deed(school_id, "contract.open_paper", "contract", str(contract_id))
    record_deed(session, actor, deed, now, paper=str(row.id))
    return row
