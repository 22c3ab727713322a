"""The desk of the page of weaker signs, on rows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Deed, record_deed
from billing.payments.tables import PaymentRequest
from billing.people.tables import Pupil
from reconciliation.book import RowsBook
from reconciliation.matching import Decision
from reconciliation.matching_rules import set_suggest_by, suggest_by_now
from reconciliation.rule_preview import LAST, Compared, RulePreview, preview
from reconciliation.settling import as_incoming
from reconciliation.tables import Transfer
from reconciliation.weak_signs import Sign
from service.access.roles import Actor, Place, SignedIn
from service.pages.matching_views import ChangedTransfer, MatchingPage, PreviewedRules
from service.pages.within import RowsWithin


class MatchingRows(RowsWithin):
    """Weaker signs shown, tried on the newest transfers, and set."""

    def matching_rules(self, who: SignedIn, place: Place, tried: Collection[Sign] | None) -> MatchingPage:
        """Return the setting; with signs to try, what they would change."""
        del who
        session = self._within(place)
        now = suggest_by_now(session, place.id)
        if tried is None:
            return MatchingPage(now, now)
        return MatchingPage(now, frozenset(tried), self._previewed(session, place.id, now, frozenset(tried)))

    def set_matching_rules(self, who: SignedIn, place: Place, signs: Collection[Sign], now: datetime) -> None:
        """Set the signs, and write down who did it."""
        session = self._within(place)
        rule = set_suggest_by(session, place.id, signs, who.user_id, now)
        actor = self._actor(who, Actor.APPROVER)
        deed = Deed(place.id, "matching.set", "matching_rule", str(rule.id))
        record_deed(session, actor, deed, now, suggest_by=rule.suggest_by)

    def _previewed(
        self, session: Session, school_id: UUID, before: frozenset[Sign], after: frozenset[Sign]
    ) -> PreviewedRules:
        newest = session.exec(
            select(Transfer)
            .where(Transfer.school_id == school_id, Transfer.direction == "in", col(Transfer.state) != "duplicate")
            .order_by(col(Transfer.recorded_at).desc(), col(Transfer.id).desc())
            .limit(LAST)
        ).all()
        vault = self._wiring.vault
        accounts = {transfer.bank_account_id for transfer in newest}
        books = {account: RowsBook(session, school_id, account, vault) for account in accounts}
        found = preview(
            ((as_incoming(transfer), books[transfer.bank_account_id]) for transfer in newest), before, after
        )
        return _shown(session, school_id, found, {str(transfer.id): transfer for transfer in newest})


def _shown(session: Session, school_id: UUID, found: RulePreview, transfers: dict[str, Transfer]) -> PreviewedRules:
    groups = {"newly": found.newly, "lost": found.lost, "moved": found.moved}
    changed = [compared for group in groups.values() for compared in group]
    firsts = {_first(decision) for compared in changed for decision in (compared.before, compared.after)}
    rows = session.exec(
        select(PaymentRequest.reference, Pupil.full_name)
        .join(Pupil, col(Pupil.id) == col(PaymentRequest.pupil_id))
        .where(PaymentRequest.school_id == school_id, col(PaymentRequest.reference).in_(firsts - {""}))
    ).all()
    names = dict(rows)

    def shown(compared: Compared) -> ChangedTransfer:
        transfer = transfers[compared.transfer.id]
        before, after = (names.get(_first(each), _first(each)) for each in (compared.before, compared.after))
        return ChangedTransfer(transfer.value_date, transfer.amount, transfer.memo, before, after)

    return PreviewedRules(
        looked_at=len(transfers),
        matched=len(found.matched),
        same=len(found.same),
        changed=tuple((name, tuple(map(shown, group))) for name, group in groups.items()),
    )


def _first(decision: Decision) -> str:
    return decision.bills[0].reference if decision.bills else ""
