"""Where a charge may be booked: accounts of income and of money that is passed on, never one of the house's own."""

from __future__ import annotations

import re
from uuid import UUID

from sqlmodel import Session

from billing.errors import Refused
from billing.fees.items import GROUP_NAMES, FeeItem, Group
from billing.ledger.accounts import open_account

_EARNS = ("income", "pass_through", "deferred")
# Income: 511, 512, 514, 515, 531, 711. Passed on: 337x (tạm thu), 338x without 3383 and 3387, which are the house's.
# Each may have digits and, after a full stop, a part of the school's own. The database refuses others too (0075).
_CHARGEABLE = re.compile(r"(?:(?:51[1245]|531|711)[0-9]{0,2}|33(?:7[0-9]|8[124568])[0-9]?)(?:\.[A-Z0-9]{1,20})?")


def may_be_charged(code: str) -> bool:
    """Tell whether a school may name this ledger account for an item: plain digits, of income or passed on."""
    return _CHARGEABLE.fullmatch(code) is not None


def open_earning(session: Session, school_id: UUID, item: FeeItem, *, opened: bool = False) -> None:
    """Open an item's ledger account; raises ``Refused`` unless charges may be booked there.

    ``opened``: the caller has opened the account for a purpose of its own (income of a contract that is deferred, a
    deposit), so only its kind is looked at.
    """
    code = item.revenue_account
    if not code:
        raise Refused(f"Khoản thu {item.name} chưa có tài khoản kế toán. Hãy chọn tài khoản, ví dụ 531.")
    if not opened and not may_be_charged(code):
        raise _not_for_charges(code)
    kind = "pass_through" if item.group is Group.PASS_THROUGH else "income"
    account = open_account(session, school_id, code, GROUP_NAMES[item.group], kind)
    if account.kind not in _EARNS:
        raise _not_for_charges(f"{account.code} ({account.name})")


def _not_for_charges(named: str) -> Refused:
    return Refused(
        f"Tài khoản kế toán {named} không ghi khoản thu được. Hãy chọn tài khoản doanh thu (511, 531, 711 …) hoặc thu"
        " hộ (337, 3381, 3388 …), chỉ gồm chữ số; muốn chi tiết hơn, thêm dấu chấm và mã của trường, ví dụ 531.BT.",
        code=named,
    )
