"""The desk of the pages of money out and of differences between feeds, on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from billing.errors import Refused
from reconciliation.outgoing.classifying import Purpose, classify, take_back
from reconciliation.outgoing.kinds import TIE_KINDS, Tie
from reconciliation.reversing.asking import agree_reversal, ask_reversal, ask_undoing, is_reversal, refuse_reversal
from service.access import staff
from service.access.roles import Actor, Place, SignedIn
from service.database import EVERYTHING, Scope, use_scope
from service.pages import money_out_rows
from service.pages.money_out_views import DifferencesPage, MoneyOutPage, SchoolDifferences, Sought, TypedPurpose
from service.pages.typed import read_id, read_money, school_day
from service.pages.within import RowsWithin

_NAMED = frozenset({Actor.ACCOUNTANT, Actor.APPROVER})


class MoneyOutRows(RowsWithin):
    """Money out and its purposes, and differences between feeds, answered from rows."""

    def money_out(self, who: SignedIn, place: Place, sought: Sought, now: datetime) -> MoneyOutPage:
        """Return money out of the school; to the auditor its sums."""
        session, today = self._within(place), school_day(now)
        named = _named(who, place)
        return money_out_rows.money_out_page(session, place.id, today, who.user_id, sought, named=named)

    def classify_out(self, who: SignedIn, place: Place, transfer_id: UUID, typed: TypedPurpose, now: datetime) -> None:
        """Write down what money out was for."""
        wanted = [_tied(key, typed.reason) for key in dict.fromkeys(typed.ties)]
        if typed.kind:
            item = typed.item if typed.kind == "purchase" else None
            amount = read_money(typed.amount)
            wanted.append(Purpose(typed.kind, amount, item_code=item, document=typed.document, reason=typed.reason))
        classify(self._within(place), self._actor(who, Actor.ACCOUNTANT), place.id, transfer_id, wanted, now)

    def take_back_out(self, who: SignedIn, place: Place, purpose_id: UUID, reason: str, now: datetime) -> bool:
        """Take a purpose back, or ask for it."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        if is_reversal(session, place.id, purpose_id):
            ask_undoing(session, actor, place.id, purpose_id, reason, now)
            return False
        take_back(session, actor, place.id, purpose_id, reason, now)
        return True

    def ask_reversal(  # noqa: PLR0913, PLR0917  which money takes which back, and why
        self, who: SignedIn, place: Place, transfer_id: UUID, came: str, reason: str, now: datetime
    ) -> bool:
        """Say that the bank took money back."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        return ask_reversal(session, actor, place.id, transfer_id, read_id(came), reason, now).named

    def decide_reversal(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, reversal_id: UUID, reason: str, now: datetime, *, agreed: bool
    ) -> bool:
        """Agree or refuse."""
        session = self._within(place)
        if agreed:
            asked = agree_reversal(session, self._actor(who, Actor.APPROVER), place.id, reversal_id, now)
            return asked.undoes is None
        refuse_reversal(session, self._looks(who, place), place.id, reversal_id, reason, now)
        return False

    def feed_differences(self, who: SignedIn, place: Place, now: datetime) -> DifferencesPage:
        """Return what the feeds tell differently; to the auditor the sums."""
        named = _named(who, place)
        return money_out_rows.differences_page(self._within(place), place.id, school_day(now), named=named)

    def province_differences(self, who: SignedIn, place: Place, now: datetime) -> tuple[SchoolDifferences, ...]:
        """Return sums for each school under an authority."""
        del who
        use_scope(self._session, EVERYTHING)
        schools = staff.schools_below(self._session, place.id)
        use_scope(self._session, Scope.of(*(school.id for school in schools)))
        today = school_day(now)
        return tuple(money_out_rows.school_differences(self._session, each.id, each.name, today) for each in schools)


def _named(who: SignedIn, place: Place) -> bool:
    return bool(who.roles_in(place) & _NAMED)


def _tied(key: str, reason: str) -> Purpose:
    """Return the purpose that a form's key stands for; raises ``Refused`` for a key of no form of ours."""
    word, _, tied_id = key.partition(":")
    try:
        tie = Tie(word)
    except ValueError as error:
        raise Refused("Lựa chọn này không còn. Xin tải lại trang rồi chọn lại.") from error
    return Purpose(TIE_KINDS[tie], tie=tie, tied_id=read_id(tied_id), reason=reason)
