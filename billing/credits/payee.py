"""Where money of a refund goes: in cash, or to an account, and how we know that it is the right one (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from billing.errors import Refused
from billing.payments.banks import bank_by_bin
from billing.payments.reference import drop_marks
from billing.visible import is_blank

PAYER, GUARDIAN, TYPED = "payer", "guardian", "typed"
SHOWN = 4  # last characters of an account number
_BIN_DIGITS = 6
_ACCOUNT_LENGTHS = range(4, 20)
LONGEST_PROOF = 300


@dataclass(frozen=True, slots=True)
class Payee:
    """Where the money goes: by bank to ``account`` at ``bank_bin`` of ``name``, or in cash (no account).

    ``source``: the *payer*'s account as the bank named it, one that a *guardian* entered, or *typed* in the office,
    which needs a ``proof`` in words.
    """

    name: str = ""
    bank_bin: str = ""
    account: str = ""
    source: str = TYPED
    proof: str = ""

    @property
    def way(self) -> str:
        """*bank* or *cash*."""
        return "bank" if self.account else "cash"

    @property
    def masked(self) -> str:
        """The last four of the number, as pages show it; nothing for cash."""
        return f"…{self.account[-SHOWN:]}" if self.account else ""


IN_CASH = Payee()


def printed_name(name: str) -> str:
    """Return a holder's name as banks print it: capital letters without marks, single blanks; may be empty."""
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in ".'") else " " for sign in drop_marks(name))
    return " ".join(plain.upper().split())


def refuse_payee(payee: Payee) -> None:
    """Raise ``Refused`` for an account that cannot be paid to, and for one that was typed without a proof.

    Banks pay to banks of the list and to names that they can print: other letters than ours fold to nothing.
    """
    if not payee.account and not payee.bank_bin:
        return
    plain = payee.account.isalnum() and payee.account.isascii() and len(payee.account) in _ACCOUNT_LENGTHS
    if not plain or len(payee.bank_bin) != _BIN_DIGITS or not payee.bank_bin.isdecimal():
        raise Refused("Tài khoản nhận tiền hoàn cần mã ngân hàng 6 chữ số và số tài khoản từ 4 đến 19 ký tự.")
    if bank_by_bin(payee.bank_bin) is None:
        raise Refused("Không có ngân hàng nào mang mã này. Hãy chọn ngân hàng trong danh sách.")
    if is_blank(payee.name):
        raise Refused("Hãy ghi tên chủ tài khoản nhận tiền hoàn.")
    if not any(sign.isalpha() for sign in printed_name(payee.name)):
        raise Refused("Hãy ghi tên chủ tài khoản bằng chữ Việt hoặc chữ không dấu, như ngân hàng in trên thẻ.")
    if payee.source == TYPED and is_blank(payee.proof):
        raise Refused(
            "Số tài khoản do văn phòng nhập: hãy ghi căn cứ, ví dụ đơn của phụ huynh ngày nào, ai đã gọi lại xác nhận."
        )
