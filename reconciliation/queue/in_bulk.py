"""Several transfers at once, each with one candidate only: first what it would do, then one confirmation for all."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.errors import Conflict, Refused
from billing.money import Money, total
from billing.people.kinship import own_family
from billing.vault import Vault
from reconciliation.book import RowsBook
from reconciliation.decided_elsewhere import decided_elsewhere
from reconciliation.queue.assigning import Wanted, decide, is_plain, refuse_not_waiting, write_act
from reconciliation.queue.carrying_out import CHOOSE_AGAIN, Assigned, balances_of, carry_out, hold_for, refuse_too_much
from reconciliation.queue.looking import Look, look
from reconciliation.queue.open_bills import open_bills_of
from reconciliation.queue.pieces import Piece
from reconciliation.queue.sharing import Share, digest_of, pieces_from
from reconciliation.queue.standing import Seen, hold_transfers, refuse_overtaken, was_undone
from reconciliation.tables import Transfer

MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Planned:
    """One transfer of a dry run: what it would pay, or why it is left out (then without parts)."""

    transfer: Transfer
    pieces: tuple[Piece, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What one confirmation would do; ``digest`` names it, so that nothing else is stored."""

    taken: tuple[Planned, ...]
    left: tuple[Planned, ...]

    @property
    def amount(self) -> Money:
        """How much money it is together."""
        return total(each.transfer.amount for each in self.taken)

    @property
    def digest(self) -> str:
        """Return a short name of transfers and parts."""
        told = sorted(f"{each.transfer.id} {digest_of(each.pieces)}" for each in self.taken)
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


def dry_run(
    session: Session, vault: Vault | None, actor: Actor, school_id: UUID, transfers: Collection[UUID]
) -> DryRun:
    """Tell which of some waiting transfers one person could take at once, and why the others not. Moves nothing."""
    found = session.exec(
        select(Transfer)
        .where(Transfer.school_id == school_id, col(Transfer.id).in_(transfers), Transfer.direction == "in")
        .order_by(col(Transfer.id))
    ).all()
    return _plan(session, vault, actor, found)


def assign_plain(  # noqa: PLR0913, PLR0917  who confirms what, as shown when
    session: Session,
    vault: Vault | None,
    actor: Actor,
    school_id: UUID,
    seen: dict[UUID, Seen],
    digest: str,
    now: datetime,
) -> DryRun:
    """Assign what a dry run showed, all of it or nothing.

    Raises ``Overtaken`` with who and when, ``Conflict`` when it would do something else than was shown, ``Refused``
    for more than 200 at once.
    """
    if len(seen) > MOST_AT_ONCE:
        raise Refused(f"Mỗi lần xác nhận nhiều nhất {MOST_AT_ONCE} giao dịch.")
    transfers = hold_transfers(session, school_id, list(seen))
    for transfer in transfers:
        refuse_overtaken(session, transfer, seen[transfer.id])
        refuse_not_waiting(transfer)
    planned = _plan(session, vault, actor, transfers)
    if planned.left or planned.digest != digest or not planned.taken:
        raise Conflict("Có giao dịch nay không còn như lúc xem. Chưa ghi gì; hãy xem lại rồi xác nhận.")
    pieces = [piece for each in planned.taken for piece in each.pieces]
    balances = hold_for(session, school_id, pieces)
    refuse_too_much(session, school_id, balances, pieces, CHOOSE_AGAIN)
    assigned = []
    for each in planned.taken:
        wanted = Wanted(each.transfer.id, each.pieces, seen[each.transfer.id])
        act = write_act(session, actor, each.transfer, wanted, look(session, vault, each.transfer), now)
        decide(session, actor, act, "alone", "", now)
        assigned.append(Assigned(each.transfer, act, each.pieces, act.made_by))
    carry_out(session, assigned, balances, now)
    return planned


def _plan(session: Session, vault: Vault | None, actor: Actor, transfers: Sequence[Transfer]) -> DryRun:
    """Look at each transfer; two that would fill one bill twice are not both taken."""
    kin = own_family(session, actor.user_id) if actor.user_id else frozenset()
    books: dict[UUID, RowsBook] = {}
    taken: list[Planned] = []
    left: list[Planned] = []
    filled: set[UUID | None] = set()
    for transfer in transfers:
        account = transfer.bank_account_id
        book = books.setdefault(account, RowsBook(session, transfer.school_id, account, vault))
        planned = _one(session, transfer, look(session, vault, transfer, book), kin)
        bills = {piece.bill_id for piece in planned.pieces}
        if bills & filled:
            planned = Planned(transfer, why_not="Thông báo thu này đã được một giao dịch khác trong danh sách nộp.")
        filled |= bills
        (left if planned.why_not else taken).append(planned)
    return DryRun(tuple(taken), tuple(left))


def _one(session: Session, transfer: Transfer, seen: Look, kin: Collection[UUID]) -> Planned:
    why_not = _why_not(session, transfer)
    if why_not:
        return Planned(transfer, why_not=why_not)
    if seen.sole is None:
        return Planned(transfer, why_not="Không có đúng một em được gợi ý.")
    if seen.sole in kin:
        return Planned(transfer, why_not="Là em trong nhà của bạn: hãy nhờ đồng nghiệp.")
    bills = open_bills_of(session, transfer.school_id, {seen.sole}, transfer.bank_account_id)
    pieces = pieces_from([Share(seen.sole, transfer.amount)], bills)
    balances = balances_of(session, transfer.school_id, pieces)
    if not is_plain(session, transfer, seen, pieces, balances):
        return Planned(transfer, why_not="Số tiền khác với số còn phải nộp: hãy xem riêng.")
    return Planned(transfer, tuple(pieces))


def _why_not(session: Session, transfer: Transfer) -> str:
    """Return why a transfer as such is not for one person, or nothing."""
    if transfer.state != "waiting":
        return "Không còn chờ người xử lý."
    if was_undone(session, transfer.school_id, transfer.id):
        return "Đã gỡ một lần: cần hai người."
    return decided_elsewhere(session, transfer)
