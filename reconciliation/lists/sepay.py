"""SePay's list of movements, first version of its API (pure).

Source: SePay developer pages "Transaction API" (v1), "Upgrade from API v1", "Transaction Reconciliation": GET
``/userapi/transactions/list`` with ``Authorization: Bearer``, at most 5,000 rows, three requests a second (429 and
``x-sepay-userapi-retry-after`` above), an empty 200 for a wrong token. The first version and not the second: its
numeric ``id`` is the callback's, where the second has a UUID that no callback tells.
"""

from __future__ import annotations

import re

from billing.money import Money
from reconciliation.errors import CallbackUnreadable, ListUnreadable
from reconciliation.feeds import sepay
from reconciliation.feeds.base import NormalisedTransfer
from reconciliation.feeds.json_body import MAX_DONG, JsonObject, code, needed_code, read_object, text
from reconciliation.feeds.json_body import rows as rows_in
from reconciliation.feeds.moments import SPACED, moment
from reconciliation.lists.base import MAX_PAGE_BYTES, Ask, ListReader, halves, local
from reconciliation.matching import Direction

PATH = "/userapi/transactions/list"
LIMIT = 500  # rows in a page: below 250 KB, and a school's two days
_OK = 200
_ID = re.compile(r"[0-9]{1,18}")
_DONG = re.compile(r"([0-9]{1,18})(?:\.0{1,2})?")


class SepayList(ListReader):
    """Asks for a span of time; a page that is full may leave rows out, so its span is cut in two."""

    provider = sepay.PROVIDER
    name = "SePay"
    wait_header = "x-sepay-userapi-retry-after"

    def request(self, account: str, ask: Ask) -> tuple[str, dict[str, str]]:
        """Return path and parameters of a span."""
        return PATH, {
            "account_number": account,
            "transaction_date_min": local(ask.first),
            "transaction_date_max": local(ask.last),
            "limit": str(LIMIT),
        }

    def authorization(self, token: str) -> str:
        """Return ``Bearer`` and the token."""
        return f"Bearer {token}"

    def rows(self, body: bytes) -> list[JsonObject]:
        """Return the rows; SePay answers a wrong token with an empty 200."""
        if not body.strip():
            raise ListUnreadable("SePay trả lời rỗng: mã truy cập (API Token) sai hoặc đã bị thu hồi")
        try:
            fields = read_object(body, MAX_PAGE_BYTES)
            if fields.get("status") != _OK:
                raise ListUnreadable("SePay báo lỗi thay cho danh sách")
            return rows_in(fields, "transactions")
        except CallbackUnreadable as error:
            raise ListUnreadable(f"Danh sách của SePay không đọc được: {error.message}") from error

    def more(self, ask: Ask, body: bytes) -> tuple[Ask, ...]:
        """Ask for both halves of a span whose page is full."""
        return halves(ask) if self.cut_short(body) else ()

    def cut_short(self, body: bytes) -> bool:
        """Tell whether a page is full: then the provider may have left rows out."""
        return len(self.rows(body)) >= LIMIT

    def movement(self, row: JsonObject) -> NormalisedTransfer:
        """Read one row; raises ``CallbackUnreadable``."""
        direction, moved = _moved(row)
        return NormalisedTransfer(
            provider=sepay.PROVIDER,
            provider_id=_id(row),
            account=needed_code(row, "account_number", 30),
            virtual_account=code(row, "sub_account", 30) or None,
            direction=direction,
            amount=moved,
            memo=text(row, "transaction_content"),
            bank_reference=text(row, "reference_number", 64) or None,
            time=moment(row, "transaction_date", SPACED),
        )


def _id(row: JsonObject) -> str:
    """Return the id as the callback writes it: a whole number, here as a text."""
    value = str(row.get("id")) if type(row.get("id")) is int else row.get("id")
    if not isinstance(value, str) or _ID.fullmatch(value) is None or int(value) == 0:
        raise CallbackUnreadable("Trường id phải là số nguyên dương", field="id")
    return str(int(value))


def _moved(row: JsonObject) -> tuple[Direction, Money]:
    """Return direction and amount: exactly one of the two amounts is above 0."""
    money_in, money_out = _dong(row, "amount_in"), _dong(row, "amount_out")
    if (money_in == 0) == (money_out == 0):
        raise CallbackUnreadable("Đúng một trong hai trường amount_in và amount_out phải lớn hơn 0", field="amount_in")
    return (Direction.IN, Money(money_in)) if money_in else (Direction.OUT, Money(money_out))


def _dong(row: JsonObject, name: str) -> int:
    """Return đồng written as ``"18067000.00"`` (or a whole number); a part of a đồng is refused, never rounded."""
    value = row.get(name)
    found = _DONG.fullmatch(str(value)) if isinstance(value, str) or type(value) is int else None
    if found is None or int(found[1]) > MAX_DONG:
        raise CallbackUnreadable(f"Trường {name} phải là số đồng như 650000.00", field=name)
    return int(found[1])
