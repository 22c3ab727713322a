"""How a payment request is paid: to which number, how much, with which memo; and its VietQR, if it has one (pure).

What an account can do decides what a family is shown: a QR, the same data to type in (the account takes no VietQR),
or nothing yet (money is told apart by virtual accounts alone and the child has none: money sent now could not be
told to be hers).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from billing.documents.vietqr import VietQr, encode
from billing.errors import Refused
from billing.money import ZERO, Money
from billing.payments.reference import LENGTH, PREFIX, find, make

# NAPAS takes less than 500 million đồng in one instant transfer; a larger sum is paid in several.
MOST_AT_ONCE = Money(499_999_999)
MEMO_LIMIT = 25
"""Characters of a memo (NAPAS 62-08; the banks' own limit)."""
LONGEST_CODE = MEMO_LIMIT - LENGTH - 1
_CODE = re.compile(r"[A-Z0-9]+")


class PayableAccount(Protocol):
    """What has to be known of the receiving account."""

    bank_bin: str
    number: str
    can_qr: bool
    only_virtual: bool
    memo_code: str | None


class PayableRequest(Protocol):
    """What has to be known of the request."""

    @property
    def reference(self) -> str:
        """The reference."""

    @property
    def virtual_account(self) -> str | None:
        """The child's own number at the account, if any."""


@dataclass(frozen=True, slots=True)
class PaidBy:
    """A request as it is paid today: its reference, and the child's number whenever that was given."""

    reference: str
    virtual_account: str | None


def payload_for(account: PayableAccount, request: PayableRequest, rest: Money) -> str | None:
    """Return the QR payload for what is still due.

    None if nothing is due, the account takes no VietQR, or the child has no number where only numbers tell.
    """
    number = number_for(account, request)
    if not account.can_qr or not number or rest <= ZERO:
        return None
    return encode(
        VietQr(
            bin=account.bank_bin,
            account=number,
            amount=min(rest, MOST_AT_ONCE),
            memo=memo_for(account, request),
        )
    )


def number_for(account: PayableAccount, request: PayableRequest) -> str:
    """Return the number to pay to: the child's own where there is one, else the account's.

    Empty where money is told apart by the children's numbers alone and this child has none yet.
    """
    return request.virtual_account or ("" if account.only_virtual else account.number)


def memo_for(account: PayableAccount, request: PayableRequest) -> str:
    """Return the memo to send: the reference, behind the provider's code where the account demands one."""
    return f"{account.memo_code} {request.reference}" if account.memo_code else request.reference


def read_memo_code(typed: str) -> str | None:
    """Return a provider's code as it will stand before our reference; nothing for an empty field.

    Raises ``Refused`` when code, blank and reference are more than 25 characters together, or when the code could be
    taken for a part of a reference.
    """
    code = typed.strip().upper()
    if not code:
        return None
    if len(code) > LONGEST_CODE:
        raise Refused(
            f"Mã “{code[:40]}” dài {len(code)} ký tự. Mã kèm nội dung nhiều nhất {LONGEST_CODE} ký tự: cùng mã tham"
            f" chiếu {LENGTH} ký tự của hệ thống, nội dung chuyển khoản không được quá {MEMO_LIMIT} ký tự."
        )
    if _CODE.fullmatch(code) is None:
        raise Refused("Mã kèm nội dung chỉ gồm chữ không dấu và số, viết liền.")
    if PREFIX in code or find(f"{code} {_EXAMPLE}").exact != (_EXAMPLE,):
        raise Refused(f"Mã kèm nội dung không được chứa “{PREFIX}”: đó là đầu mã tham chiếu của hệ thống.")
    return code


_EXAMPLE = make("2345678")
