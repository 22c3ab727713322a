"""Held money: what lets it go, and what shows that it never was; and money out that no statement shows.

A transfer is held where a mere key vouches for a large sum. It is let go by a source of another kind that tells the
same (the provider's list, a statement), or by two people: one asks and says why, another agrees. Two people put it
aside in the same way, and so they do with money out below the limit that a statement of its day does not show.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, select
from sqlmodel.sql.expression import SelectOfScalar

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Conflict, NotFound, Refused
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.visible import is_blank
from reconciliation.concerned import named_pupils
from reconciliation.lists.tables import TransferRelease, TransferReleaseDecision
from reconciliation.outgoing.standing import refuse_explained, wait_for_purposes
from reconciliation.tables import Transfer
from reconciliation.transfers import let_go, lock_account, step, undo_entry

LET_GO, PUT_ASIDE = "let_go", "put_aside"
RELEASED = "released"
_MOST_REASON = 300
_DEEDS = {LET_GO: "transfer.release", PUT_ASIDE: "transfer.distrust"}
# A statement that was read after a movement covers its day, and shows it nowhere.
_LACKED = text("""
SELECT EXISTS (SELECT FROM statement_files f
               WHERE f.school_id = :school AND f.bank_account_id = :account
                 AND :day BETWEEN f.first_day AND f.last_day AND f.read_at >= :moment)
   AND NOT EXISTS (SELECT FROM statement_lines l WHERE l.school_id = :school AND l.transfer_id = :transfer)
""")


def distrust(session: Session, transfer: Transfer, reason: str, now: datetime, made_by: UUID | None = None) -> None:
    """Put money aside and take it out of the book: the bank's own word, or two people's, speaks against it."""
    step(session, transfer, "quarantined", reason[:_MOST_REASON], now, made_by)
    undo_entry(session, transfer, "transfer_distrusted", reason[:_MOST_REASON], now)


def ask_release(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, transfer_id: UUID, reason: str, now: datetime
) -> TransferRelease:
    """Ask to let a held transfer go.

    Raises ``NotFound``, ``Refused`` without a reason, ``OwnFamily``, ``Conflict`` when it is held no more or was asked
    for already.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do: đã xem gì ở ngân hàng mà biết tiền này có thật.")
    transfer = held_transfer(session, school_id, transfer_id)
    return _ask(session, actor, transfer, (LET_GO, reason), now)


def ask_distrust(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, transfer_id: UUID, reason: str, now: datetime
) -> TransferRelease:
    """Ask to put aside held money, or money out that a statement of its day does not show.

    Raises as ``ask_release``; ``Conflict`` too for money out that has a purpose or that nothing speaks against.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do: đã xem gì ở ngân hàng mà biết giao dịch này không có thật.")
    transfer = doubted_transfer(session, school_id, transfer_id)
    return _ask(session, actor, transfer, (PUT_ASIDE, reason), now)


def _ask(session: Session, actor: Actor, transfer: Transfer, wanted: tuple[str, str], now: datetime) -> TransferRelease:
    act, reason = wanted
    school_id, transfer_id = transfer.school_id, transfer.id
    refuse_own_family(session, actor, school_id, named_pupils(session, transfer))
    if session.exec(_waiting_for(school_id, transfer_id)).first() is not None:
        raise Conflict("Đã có đề nghị về giao dịch này, đang chờ người khác duyệt.")
    asked = TransferRelease(
        school_id=school_id,
        transfer_id=transfer_id,
        wanted=act,
        reason=reason[:_MOST_REASON],
        made_by=person_of(actor),
        made_at=now,
    )
    session.add(asked)
    session.flush()
    record_deed(session, actor, Deed(school_id, f"{_DEEDS[act]}.ask", "transfer", str(transfer_id), reason), now)
    return asked


def approve_release(session: Session, actor: Actor, school_id: UUID, release_id: UUID, now: datetime) -> None:
    """Let money go, or put it aside, as another asked; raises ``SamePerson``, ``OwnFamily``, ``Conflict``."""
    asked = _undecided(session, school_id, release_id)
    find = held_transfer if asked.wanted == LET_GO else doubted_transfer
    transfer = find(session, school_id, asked.transfer_id)
    own_word = "Người đề nghị không tự duyệt được. Xin nhờ người duyệt khác."
    about = named_pupils(session, transfer)
    second_person(session, actor, Agreement(school_id, {asked.made_by}, about, own_word))
    _decide(session, asked, actor, now, approved=True)
    if asked.wanted == LET_GO:
        let_go(session, transfer, RELEASED, now, person_of(actor))
    else:
        distrust(session, transfer, asked.reason, now, person_of(actor))


def refuse_release(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, release_id: UUID, reason: str, now: datetime
) -> None:
    """Say no, or take one's own back: the money stays as it is."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không duyệt.")
    _decide(session, _undecided(session, school_id, release_id), actor, now, approved=False, reason=reason)


def _decide(  # noqa: PLR0913  one decision with its facts
    session: Session, asked: TransferRelease, actor: Actor, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    session.add(
        TransferReleaseDecision(
            release_id=asked.id,
            school_id=asked.school_id,
            approved=approved,
            decided_by=person_of(actor),
            reason=reason[:_MOST_REASON],
            at=now,
        )
    )
    session.flush()
    action = f"{_DEEDS[asked.wanted]}.{'approve' if approved else 'refuse'}"
    record_deed(session, actor, Deed(asked.school_id, action, "transfer", str(asked.transfer_id), reason), now)


def held_transfer(session: Session, school_id: UUID, transfer_id: UUID) -> Transfer:
    """Return a held transfer, locked until the transaction ends; raises ``NotFound`` or ``Conflict``."""
    transfer = _locked(session, school_id, transfer_id)
    if transfer.state != "held":
        raise Conflict("Giao dịch này không còn bị giữ lại: ngân hàng đã xác nhận, hoặc đã bị loại. Xin mở lại trang.")
    return transfer


def doubted_transfer(session: Session, school_id: UUID, transfer_id: UUID) -> Transfer:
    """Return a held transfer, or money out that a statement lacks and nobody explained, locked likewise.

    Raises ``NotFound`` or ``Conflict``.
    """
    wait_for_purposes(session, school_id)  # before the transfer's row, as whoever writes a purpose does
    transfer = _locked(session, school_id, transfer_id)
    if transfer.state == "held":
        return transfer
    if transfer.state != "ignored_out":
        raise Conflict("Chỉ loại được tiền đang giữ lại, và tiền ra mà sao kê không có. Xin mở lại trang.")
    facts = {
        "school": school_id,
        "transfer": transfer_id,
        "account": transfer.bank_account_id,
        "day": transfer.value_date,
        "moment": transfer.occurred_at,
    }
    if not session.execute(_LACKED, facts).scalar_one():
        raise Conflict(
            "Chưa có sao kê nào của ngày này, hoặc sao kê có ghi tiền ra này: không loại được. Hãy nhập sao kê trước."
        )
    refuse_explained(session, transfer)
    return transfer


def _locked(session: Session, school_id: UUID, transfer_id: UUID) -> Transfer:
    """Hold the account too, so that no statement or list is compared with the transfer meanwhile."""
    query = select(Transfer).where(Transfer.school_id == school_id, Transfer.id == transfer_id)
    found = session.exec(query).one_or_none()
    if found is None:
        raise NotFound("Không có giao dịch này.")
    lock_account(session, found.bank_account_id)
    return session.exec(query.with_for_update().execution_options(populate_existing=True)).one()


def _undecided(session: Session, school_id: UUID, release_id: UUID) -> TransferRelease:
    asked = session.exec(
        select(TransferRelease).where(TransferRelease.school_id == school_id, TransferRelease.id == release_id)
    ).one_or_none()
    if asked is None:
        raise NotFound("Không có đề nghị này.")
    if session.get(TransferReleaseDecision, release_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định.")
    return asked


def _waiting_for(school_id: UUID, transfer_id: UUID) -> SelectOfScalar[UUID]:
    decided = select(TransferReleaseDecision.release_id).where(TransferReleaseDecision.release_id == TransferRelease.id)
    return select(TransferRelease.id).where(
        TransferRelease.school_id == school_id, TransferRelease.transfer_id == transfer_id, ~decided.exists()
    )
