"""The VietQR of a payment request: to which account, how much, and the reference as the whole memo (pure)."""

from __future__ import annotations

from typing import Protocol

from billing.documents.vietqr import VietQr, encode
from billing.money import ZERO, Money

# NAPAS takes less than 500 million đồng in one instant transfer; a larger sum is paid in several.
MOST_AT_ONCE = Money(499_999_999)


class PayableAccount(Protocol):
    """What has to be known of the receiving account."""

    bank_bin: str
    number: str
    can_qr: bool
    memo_code: str | None


class PayableRequest(Protocol):
    """What has to be known of the request."""

    reference: str
    virtual_account: str | None


def payload_for(account: PayableAccount, request: PayableRequest, rest: Money) -> str | None:
    """Return the QR payload for what is still due, or None if nothing is, or the account takes no VietQR."""
    if not account.can_qr or rest <= ZERO:
        return None
    return encode(
        VietQr(
            bin=account.bank_bin,
            account=request.virtual_account or account.number,
            amount=min(rest, MOST_AT_ONCE),
            memo=memo_for(account, request),
        )
    )


def memo_for(account: PayableAccount, request: PayableRequest) -> str:
    """Return the memo to send: the reference, behind the provider's code where the account demands one."""
    return f"{account.memo_code} {request.reference}" if account.memo_code else request.reference
