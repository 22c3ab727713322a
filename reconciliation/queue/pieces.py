"""The parts of an assignment: what a person may say, and what it comes to (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from billing.errors import Refused
from billing.money import ZERO, Money, total
from billing.payments.allocation import Part


@dataclass(frozen=True, slots=True)
class Piece:
    """Money for a pupil's bill, or as the pupil's credit (no bill)."""

    pupil_id: UUID
    bill_id: UUID | None
    amount: Money


def refuse_bad_pieces(amount: Money, pieces: Sequence[Piece]) -> None:
    """Raise ``Refused`` unless the parts are above 0 đ, each place stands once, and they sum to the amount."""
    if not pieces:
        raise Refused("Hãy chọn ít nhất một học sinh nhận khoản tiền này.")
    if any(piece.amount <= ZERO for piece in pieces):
        raise Refused("Mỗi phần phải lớn hơn 0 đ.")
    if len({(piece.pupil_id, piece.bill_id) for piece in pieces}) != len(pieces):
        raise Refused("Mỗi thông báo thu chỉ đứng một lần trong một lần chia.")
    given = total(piece.amount for piece in pieces)
    if given < amount:
        raise Refused(f"Các phần cộng lại {given}, còn thiếu {amount - given} so với {amount} của giao dịch.")
    if given > amount:
        raise Refused(f"Các phần cộng lại {given}, thừa {given - amount} so với {amount} của giao dịch.")


def pupils_of(pieces: Sequence[Piece]) -> frozenset[UUID]:
    """Return whom the parts concern."""
    return frozenset(piece.pupil_id for piece in pieces)


def parts_by_pupil(pieces: Sequence[Piece]) -> dict[UUID, tuple[Money, tuple[Part[UUID], ...]]]:
    """Return for each pupil, in the order of ids, all it gets and what of it goes to which bill."""
    sums: dict[UUID, Money] = defaultdict(lambda: ZERO)
    parts: dict[UUID, list[Part[UUID]]] = defaultdict(list)
    for piece in pieces:
        sums[piece.pupil_id] += piece.amount
        if piece.bill_id is not None:
            parts[piece.pupil_id].append(Part(piece.bill_id, piece.amount))
    return {pupil: (sums[pupil], tuple(parts[pupil])) for pupil in sorted(sums)}


def outcome_of(pieces: Sequence[Piece], rests: Mapping[UUID, Money]) -> str:
    """Return the matcher's word for what a person decided; ``rests``: what was open on each bill before."""
    if len(pupils_of(pieces)) > 1:
        return "split"
    on_bills = [piece for piece in pieces if piece.bill_id is not None]
    if not on_bills:
        return "credited"
    if len(on_bills) < len(pieces):
        return "overpaid"
    whole = all(piece.amount == rests[piece.bill_id] for piece in on_bills if piece.bill_id is not None)
    return "matched" if whole else "partial"


def pays_in_full(pieces: Sequence[Piece], rests: Mapping[UUID, Money]) -> bool:
    """Tell whether every part pays all that is open on a bill, and none becomes credit."""
    return all(piece.bill_id is not None and rests.get(piece.bill_id) == piece.amount for piece in pieces)
