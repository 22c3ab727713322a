"""Plays a story, event by event, on the real rules and in the reckoner beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tests.journeys.year import acting_money, acting_people, acting_rounds
from tests.journeys.year import events as e
from tests.journeys.year.comparing import compare_pupils, look
from tests.journeys.year.town import Place, Town

_ACTS: Mapping[type[e.Event], Callable[[Town, Place, Any], None]] = MappingProxyType({
    e.Arrive: acting_people.arrive,
    e.ChangeClass: acting_people.move_class,
    e.Register: acting_people.take_registration,
    e.EndRegistration: acting_people.stop_registration,
    e.Reduce: acting_people.reduce,
    e.EndReduction: acting_people.stop_reduction,
    e.ChangePrice: acting_people.change_price,
    e.DayOff: acting_people.day_off,
    e.Tick: acting_people.tick,
    e.OfficeAbsence: acting_people.office_absence,
    e.Close: acting_people.close,
    e.Issue: acting_rounds.issue,
    e.Supplement: acting_rounds.supplement,
    e.ChooseLate: acting_rounds.choose_items,
    e.SettleMeals: acting_rounds.settle_meals,
    e.LowerPrice: acting_rounds.lower_price,
    e.LowerLine: acting_rounds.lower_line,
    e.TakeBack: acting_rounds.take_back,
    e.TakeBackLate: acting_rounds.take_back_late,
    e.Lock: acting_rounds.lock,
    e.Pay: acting_money.pay,
    e.BankFee: acting_money.bank_fee,
    e.UseCredit: acting_money.use_credit,
    e.Refund: acting_money.refund,
    e.RefundGraduates: acting_money.graduates,
    e.WriteOff: acting_money.write_off,
    e.OpenYear: acting_money.open_year,
    e.Leave: acting_money.go,
    e.ComeBack: acting_people.come_again,
    e.FinishLeaving: acting_money.finish,
})  # fmt: skip

# What the bank told may wait while these happen: they neither ask for money nor move any.
_WHILE_MONEY_WAITS = (e.Tick, e.OfficeAbsence, e.Register, e.ChangeClass, e.Pay, e.BankFee)
_NEW_YEAR = 8  # receipts begin a new book in August


def play(town: Town, story: e.Story, *, closely: bool = False) -> None:
    """Let everything happen in its order; what fails says at which event. ``closely``: books are compared each time."""
    for number, event in enumerate(story.events):
        town.clock.now = event.at
        first = town.clock.today.year - (town.clock.today.month < _NEW_YEAR)
        for each in town.places.values():
            each.reckoner.book.receipt_book = f"{first}-{first + 1}"
        try:
            if not isinstance(event, _WHILE_MONEY_WAITS):
                town.reconcile()
            if isinstance(event, e.Look):
                look(town, whole=event.whole)
            else:
                place = town.places[event.school]
                _ACTS[type(event)](town, place, event)
                if closely:
                    town.reconcile()
                    with town.at(place) as session:
                        compare_pupils(town, session, place)
        except Exception as error:
            error.add_note(f"HOCPHI_YEAR_SEEDS={story.seed}, event {number} of {len(story.events)}: {event}")
            raise
