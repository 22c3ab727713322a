"""What the page of weaker signs shows before they are set (pure)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from billing.money import Money
from reconciliation.weak_signs import Sign
from service.access.roles import Place, SignedIn

SIGNS: dict[Sign, tuple[str, str]] = {
    Sign.CORRECTED: ("Mã nộp sai, thiếu hoặc đảo một ký tự", "A reference with one character wrong, lost or swapped"),
    Sign.PHONE: ("Số điện thoại của gia đình trong nội dung", "The family's phone number in the memo"),
    Sign.PAYER: ("Tài khoản đã từng nộp cho em", "An account that paid for the child before"),
    Sign.NAME: ("Họ tên đầy đủ của em trong nội dung", "The child's full name in the memo"),
    Sign.AMOUNT: ("Số tiền đúng bằng khoản còn phải nộp", "The sum equals what is open"),
    Sign.CLASS: ("Lớp của em trong nội dung", "The child's class in the memo"),
}


@dataclass(frozen=True, slots=True)
class ChangedTransfer:
    """A transfer for which a setting changes what a person is shown first; empty where nothing is suggested."""

    day: date
    amount: Money
    memo: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PreviewedRules:
    """What signs would do on the newest transfers: ``changed`` by group (*newly*, *lost*, *moved*)."""

    looked_at: int
    matched: int
    same: int
    changed: tuple[tuple[str, tuple[ChangedTransfer, ...]], ...]


@dataclass(frozen=True, slots=True)
class MatchingPage:
    """The signs that may suggest now, those that are tried, and what would change."""

    now: frozenset[Sign]
    tried: frozenset[Sign]
    preview: PreviewedRules | None = None


class MatchingDesk(Protocol):
    """Which weaker signs may suggest whose bill a transfer is meant for."""

    def matching_rules(self, who: SignedIn, place: Place, tried: Collection[Sign] | None) -> MatchingPage:
        """Return the setting; with signs to try, what they would change on the newest transfers."""

    def set_matching_rules(self, who: SignedIn, place: Place, signs: Collection[Sign], now: datetime) -> None:
        """Set the signs from now on."""
