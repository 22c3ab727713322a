"""What a withdrawal asked for to come back: approved, waiting, or rejected and then asked for again.

A correction is decided once. Asked again it is a new one, of the same bill and sums, that another person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.contracts.reading import steps_of
from billing.contracts.stepping import hold_contract
from billing.contracts.tables import ContractStep
from billing.errors import Conflict
from billing.rounds.correcting import Asked, ask
from billing.rounds.tables import Correction, CorrectionDecision


@dataclass(frozen=True, slots=True)
class BackAsked:
    """The correction of one bill that counts: the approved one, else the last; ``decision`` is None while it waits."""

    correction: Correction
    decision: CorrectionDecision | None

    @property
    def approved(self) -> bool:
        """Whether what comes back of the bill was approved."""
        return self.decision is not None and self.decision.approved

    @property
    def rejected(self) -> bool:
        """Whether the last word about the bill is no."""
        return self.decision is not None and not self.decision.approved


def asked_back(session: Session, school_id: UUID, steps: Sequence[ContractStep]) -> dict[UUID, list[BackAsked]]:
    """Return by contract, bill by bill, how what its withdrawal asked for stands; empty where nothing comes back."""
    first = {UUID(each): step.contract_id for step in steps for each in step.facts.get("corrections", [])}
    bills = select(col(Correction.bill_id)).where(Correction.school_id == school_id, col(Correction.id).in_(first))
    rows = session.exec(
        select(Correction, CorrectionDecision)
        .outerjoin(CorrectionDecision, col(CorrectionDecision.correction_id) == col(Correction.id))
        .where(Correction.school_id == school_id, Correction.kind == "leaving", col(Correction.bill_id).in_(bills))
        .order_by(col(Correction.made_at), col(Correction.id))
    ).all()
    by_bill: dict[UUID | None, list[BackAsked]] = defaultdict(list)
    contract_of: dict[UUID | None, UUID] = {}
    for correction, decision in rows:
        if correction.id in first:
            contract_of[correction.bill_id] = first[correction.id]
            by_bill[correction.bill_id].clear()  # what was asked before belongs to a leaving that was taken back
        by_bill[correction.bill_id].append(BackAsked(correction, decision))
    found: dict[UUID, list[BackAsked]] = {step.contract_id: [] for step in steps}
    for bill, step_id in contract_of.items():
        chain = by_bill[bill]
        found[step_id].append(next((each for each in chain if each.approved), chain[-1]))
    return found


def ask_back_again(session: Session, school_id: UUID, contract_id: UUID, actor: Actor, now: datetime) -> list[UUID]:
    """Ask again for what a withdrawal gives back by the contract and somebody rejected; return the new corrections.

    Raises ``Conflict`` when nothing of it stands rejected.
    """
    contract = hold_contract(session, school_id, contract_id, "withdrawn")
    step = steps_of(session, contract)["withdrawn"]
    rejected = [each.correction for each in asked_back(session, school_id, [step])[step.contract_id] if each.rejected]
    if not rejected:
        raise Conflict("Không có đề nghị trả lại nào của hợp đồng này đang bị từ chối. Hãy tải lại trang.")
    return [
        ask(session, actor, Asked(school_id, old.round_id, old.kind, old.content, old.bill_id), old.reason, now).id
        for old in rejected
    ]
