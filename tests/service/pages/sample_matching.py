"""The part of the sample desk that answers the page of weaker signs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from billing.money import Money
from reconciliation.weak_signs import Sign
from service.access.roles import Place, SignedIn
from service.pages.matching_views import ChangedTransfer, MatchingPage, PreviewedRules

_ROW = ChangedTransfer(
    date(2025, 10, 6),
    Money(1_250_000),
    "MBVCB.3278907687.123456.NGUYEN THI MINH ANH lop 3A1 nop hoc phi thang 10.CT tu 0161000879000",
    "",
    "Nguyễn Thị Minh Ánh",
)
_MOVED = ChangedTransfer(date(2025, 10, 6), Money(400_000), "", "Trần Đăng Khôi", "Nguyễn Thị Minh Ánh")
PREVIEWED = PreviewedRules(250, 231, 16, (("newly", (_ROW,)), ("lost", ()), ("moved", (_MOVED, _MOVED))))


class SampleMatching:
    """Answers from the records above, and remembers what was set."""

    done: list[tuple[str, str]]

    def matching_rules(self, who: SignedIn, place: Place, tried: Collection[Sign] | None) -> MatchingPage:
        del who, place
        if tried is None:
            return MatchingPage(frozenset(Sign), frozenset(Sign))
        return MatchingPage(frozenset(Sign), frozenset(tried), PREVIEWED)

    def set_matching_rules(self, who: SignedIn, place: Place, signs: Collection[Sign], now: datetime) -> None:
        del who, place, now
        self.done.append(("set signs", ",".join(sorted(signs))))
