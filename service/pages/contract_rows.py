"""The pages of contracts, from rows of one school."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.contracts.admitting import preview_decline
from billing.contracts.charging_late import late_bills
from billing.contracts.deposits import deposit_of
from billing.contracts.giving_back import asked_back
from billing.contracts.reading import (
    DEPOSIT_ITEM,
    agreement_of,
    contracts_of,
    find_contract,
    find_school,
    find_version,
    papers_of,
    state_of,
    steps_of,
    terms_of,
    usable_versions,
    versions_of,
)
from billing.contracts.releasing import preview_release
from billing.contracts.tables import Contract, ContractApproval, ContractStep, ContractVersion, IncomeClosing
from billing.contracts.terms import from_json
from billing.contracts.withdrawing import Telling, preview_withdrawal
from billing.contracts.wording import describe
from billing.credits.reading import free_credit
from billing.documents.payment_qr import PaidBy, payload_for
from billing.documents.qr_image import qr_svg
from billing.errors import HocphiError
from billing.fees.item_rows import items_of
from billing.ledger.accounts import DEFERRED
from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money, total
from billing.payments.tables import PaymentRequest, PaymentRequestBill
from billing.payments.virtual_accounts import numbers_shown
from billing.people.contact_sheet import RELATION_WORDS
from billing.people.roster import Sex
from billing.people.tables import ClassGroup, Contact, Guardian, Guardianship, Pupil
from service.access.tables import User
from service.pages.contract_views import (
    AgreedFacts,
    ContractPage,
    ContractRow,
    ContractsPage,
    DepositFacts,
    EndShown,
    IncomePage,
    IncomeRow,
    LatePage,
    LateRow,
    NewVersionPage,
    StepRow,
    VersionPage,
    VersionRow,
    WithdrawnRow,
)
from service.pages.reduction_rows import pupil_hits
from service.pages.typed import school_day

_SUMS = ("paid", "deposit", "back", "kept")


def contracts_page(session: Session, school_id: UUID, words: str, today: date) -> ContractsPage:
    """Return the contracts and versions of a school, and the pupils that the words find."""
    usable = {version.id for version in usable_versions(session, school_id, today)}
    versions = tuple(_version(version, approval) for version, approval in versions_of(session, school_id))
    return ContractsPage(
        private=find_school(session, school_id).kind == "private",
        words=words,
        hits=pupil_hits(session, school_id, words, today) if words else (),
        rows=tuple(_row(session, each) for each in contracts_of(session, school_id)),
        versions=versions,
        usable=tuple(row for row in versions if UUID(row.version_id) in usable),
        sexes=tuple(Sex),
        relations=tuple((each.value, word) for each, word in RELATION_WORDS.items()),
        today=today,
    )


def new_version_page(session: Session, school_id: UUID, today: date) -> NewVersionPage:
    """Return the form of a new version."""
    items = [item for item in session.exec(items_of(school_id)).all() if item.code != DEPOSIT_ITEM]
    ahead = [item for item in items if item.revenue_account.startswith(DEFERRED)]
    named = tuple((item.code, item.legal_name) for item in items)
    return NewVersionPage(named, tuple((item.code, item.legal_name) for item in ahead), today)


def version_page(session: Session, school_id: UUID, version_id: UUID, reader: UUID) -> VersionPage:
    """Return one version with its terms in words."""
    version = find_version(session, school_id, version_id)
    approval = session.get(ContractApproval, version_id)
    terms = tuple(describe(from_json(version.terms)))
    return VersionPage(
        _version(version, approval), version.body, terms, version.made_by == reader, _name(session, version.made_by)
    )


def contract_page(  # noqa: PLR0913, PLR0917  which contract, seen when, with what end
    session: Session, school_id: UUID, contract_id: UUID, told: tuple[date, str] | None, now: datetime, today: date
) -> ContractPage:
    """Return one contract; with a day (and what kind of end), what the end would do or why it cannot be."""
    contract = find_contract(session, school_id, contract_id)
    version, steps = find_version(session, school_id, contract.version_id), steps_of(session, contract)
    agreed, withdrawn = steps.get("agreed"), steps.get("withdrawn")
    shown, problem = None, ""
    if told is not None:
        try:
            shown = _end(session, contract, steps, told, now)
        except HocphiError as error:
            problem = error.message
    free = free_credit(session, school_id, [contract.pupil_id]).get((contract.pupil_id, DEPOSIT_ITEM), ZERO)
    return ContractPage(
        row=_row(session, contract),
        months=contract.months,
        version=_version(version, session.get(ContractApproval, version.id)),
        body=version.body,
        terms=tuple(describe(terms_of(session, contract))),
        guardian=_guardian(session, contract.pupil_id),
        deposit=None if agreed is None or agreed.bill_id is None else _deposit(session, school_id, agreed.bill_id),
        steps=tuple(_steps(session, contract, steps)),
        agreed=_agreed(session, contract, version.code),
        classes=tuple(_classes(session, contract)),
        today=today,
        shown=shown,
        problem=problem,
        refundable=free if "declined" in steps else ZERO,
        rejected=_rejected(session, withdrawn) if withdrawn else (),
        leaving_id=str(withdrawn.facts.get("leaving", "")) if withdrawn else "",
    )


def income_page(session: Session, school_id: UUID, month: date) -> IncomePage:
    """Return what closing a month would release."""
    found = preview_release(session, school_id, month)
    names = _names(session, [each.line.pupil_id for each in found.releases])
    rows = tuple(
        IncomeRow(
            each.line.number,
            names[each.line.pupil_id],
            each.line.item_name,
            each.line.first,
            each.line.months,
            each.line.net,
            each.line.released,
            each.amount,
            each.remains,
        )
        for each in found.releases
    )
    closing = session.get(IncomeClosing, (school_id, found.month))
    return IncomePage(found.month, rows, found.amount, found.remains, school_day(closing.at) if closing else None)


def late_page(session: Session, school_id: UUID, today: date) -> LatePage:
    """Return the late bills whose contract has the clause."""
    found = late_bills(session, school_id, today)
    names = _names(session, [each.contract.pupil_id for each in found])
    rows = tuple(
        LateRow(
            str(each.balance.bill_id),
            each.balance.number,
            names[each.contract.pupil_id],
            each.contract.number,
            each.balance.due_on,
            each.days,
            each.balance.rest,
            each.before,
            each.charge.amount,
        )
        for each in found
    )
    month = today.replace(day=1)
    return LatePage(rows, date(month.year + month.month // 12, month.month % 12 + 1, 1))


def _end(
    session: Session, contract: Contract, steps: dict[str, ContractStep], told: tuple[date, str], now: datetime
) -> EndShown:
    day, reason = told
    if "enrolled" not in steps:
        end = preview_decline(session, contract.school_id, contract.id, day)
        return EndShown(day, never=True, paid=end.paid, kept=end.kept, back=end.back)
    found = preview_withdrawal(session, contract.school_id, contract.id, Telling(day, "left", reason), now)
    lines = tuple(
        WithdrawnRow(line.item_name, line.number, line.net, each.used, each.back, each.kept)
        for line, each in found.lines
    )
    others = total(bill.family for bill in found.leaving.bills) - found.back
    return EndShown(
        day,
        never=day < contract.starts_on,
        kept=found.kept,
        back=found.back,
        percent=found.percent,
        lines=lines,
        others=others,
        gives_back=found.leaving.gives_back,
        still_open=found.leaving.still_open,
    )


def _row(session: Session, contract: Contract) -> ContractRow:
    pupil = session.get_one(Pupil, contract.pupil_id)
    return ContractRow(
        str(contract.id),
        contract.number,
        pupil.full_name,
        contract.school_year,
        contract.plan,
        contract.starts_on,
        state_of(steps_of(session, contract)),
    )


def _rejected(session: Session, step: ContractStep) -> tuple[str, ...]:
    asked = asked_back(session, step.school_id, [step])[step.contract_id]
    return tuple(each.decision.reason for each in asked if each.decision is not None and each.rejected)


def _version(version: ContractVersion, approval: ContractApproval | None) -> VersionRow:
    return VersionRow(str(version.id), version.code, version.title, version.valid_from, approval is not None)


def _steps(session: Session, contract: Contract, steps: dict[str, ContractStep]) -> Iterator[StepRow]:
    letters = {str(paper.id) for paper in papers_of(session, contract)}
    for step in steps.values():
        letter = str(step.paper_id or step.facts.get("letter", ""))
        yield StepRow(
            step.kind,
            step.day,
            "" if step.made_by is None else _name(session, step.made_by),
            step.at,
            step.reason,
            step.way,
            letter if letter in letters else "",
            tuple((name, Money(step.facts[name])) for name in _SUMS if name in step.facts),
        )


def _agreed(session: Session, contract: Contract, version: str) -> AgreedFacts | None:
    kept = agreement_of(session, contract)
    if kept is None:
        return None
    guardian = session.get(Guardian, kept.guardian_id)
    name = guardian.full_name if guardian else ""
    lines, digest = tuple(kept.words.splitlines()), kept.words_sha256.hex()
    return AgreedFacts(name, kept.contact_masked, kept.at, version, lines, digest)


def deposit_request(session: Session, school_id: UUID, bill_id: UUID) -> tuple[PaymentRequest, BankAccount]:
    """Return by which request a deposit is paid, and into which account."""
    return session.exec(
        select(PaymentRequest, BankAccount)
        .join(PaymentRequestBill, col(PaymentRequestBill.request_id) == col(PaymentRequest.id))
        .join(BankAccount, col(BankAccount.id) == col(PaymentRequest.bank_account_id))
        .where(PaymentRequestBill.school_id == school_id, PaymentRequestBill.bill_id == bill_id)
        .order_by(col(PaymentRequest.created_at).desc())
        .limit(1)
    ).one()


def _deposit(session: Session, school_id: UUID, bill_id: UUID) -> DepositFacts:
    balance = deposit_of(session, school_id, bill_id).balance
    request, account = deposit_request(session, school_id, bill_id)
    number = numbers_shown(session, school_id, [request])[request.id]
    payload = payload_for(account, PaidBy(request.reference, number), balance.rest) if balance.rest else None
    round_id = session.exec(select(Bill.round_id).where(Bill.school_id == school_id, Bill.id == bill_id)).one()
    return DepositFacts(
        balance.number,
        balance.due_on,
        balance.family_due,
        balance.paid,
        balance.rest,
        request.reference,
        f"{account.number} · {account.holder}",
        qr_svg(payload, f"Mã QR {balance.rest}") if payload else "",
        f"/van-phong/dot-thu/{round_id}/hoc-sinh/{balance.pupil_id}",
    )


def _guardian(session: Session, pupil_id: UUID) -> str:
    found = session.exec(
        select(Guardian.full_name, Contact.masked)
        .join(Guardianship, col(Guardianship.guardian_id) == col(Guardian.id))
        .outerjoin(Contact, (col(Contact.guardian_id) == col(Guardian.id)) & col(Contact.valid_to).is_(None))
        .where(Guardianship.pupil_id == pupil_id)
        .order_by(col(Guardianship.id))
        .limit(1)
    ).first()
    return f"{found[0]}, {found[1]}" if found else ""


def _classes(session: Session, contract: Contract) -> Iterator[tuple[str, str]]:
    query = select(ClassGroup).where(
        ClassGroup.school_id == contract.school_id, ClassGroup.school_year == contract.school_year
    )
    for group in session.exec(query.order_by(col(ClassGroup.grade), col(ClassGroup.code))).all():
        yield str(group.id), group.code


def _names(session: Session, pupils: Sequence[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())


def _name(session: Session, user_id: UUID) -> str:
    user = session.get(User, user_id)
    return user.full_name if user else ""
