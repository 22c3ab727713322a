"""Casso's list of movements, second version of its API (pure).

Source: Casso developer page "API lấy giao dịch": GET ``/v2/transactions`` with ``Authorization: Apikey``, from a day
on, page by page, in the order of time. A row's ``id`` is the number under which Casso itself hands out one movement
and the one its webhook tells. The key sees every account linked to one Casso user: a school needs a user of its own.
"""

from __future__ import annotations

from dataclasses import replace

from reconciliation.errors import CallbackUnreadable, ListUnreadable
from reconciliation.feeds import casso
from reconciliation.feeds.base import NormalisedTransfer
from reconciliation.feeds.json_body import JsonObject, child, code, needed_code, read_object, text, whole
from reconciliation.feeds.json_body import rows as rows_in
from reconciliation.feeds.moments import DAY, SPACED, WITH_T, moment
from reconciliation.lists.base import MAX_PAGE_BYTES, VIETNAM, Ask, ListReader

PATH = "/v2/transactions"
PAGE_SIZE = 100


class CassoList(ListReader):
    """Asks from a day on; rows are added at the end, so a page that was full stays as it was."""

    provider = casso.PROVIDER
    name = "Casso"

    def request(self, account: str, ask: Ask) -> tuple[str, dict[str, str]]:
        """Return path and parameters; Casso takes no account and no last day."""
        del account
        return PATH, {
            "fromDate": f"{ask.first + VIETNAM:%Y-%m-%d}",
            "page": str(ask.page),
            "pageSize": str(PAGE_SIZE),
            "sort": "ASC",
        }

    def authorization(self, token: str) -> str:
        """Return ``Apikey`` and the token."""
        return f"Apikey {token}"

    def rows(self, body: bytes) -> list[JsonObject]:
        """Return the records."""
        return _rows(_data(body))

    def more(self, ask: Ask, body: bytes) -> tuple[Ask, ...]:
        """Ask for the next page while Casso counts more of them (or, where it does not count, while one is full)."""
        data = _data(body)
        count, found = data.get("totalPages"), len(_rows(data))
        goes_on = ask.page < count if type(count) is int else found >= PAGE_SIZE
        return (replace(ask, page=ask.page + 1),) if goes_on and found else ()

    def movement(self, row: JsonObject) -> NormalisedTransfer:
        """Read one record; raises ``CallbackUnreadable``."""
        direction, moved = casso.moved(row)
        return NormalisedTransfer(
            provider=casso.PROVIDER,
            provider_id=str(whole(row, "id")),
            account=code(row, "bankSubAccId", 30) or needed_code(row, "bank_sub_acc_id", 30),
            virtual_account=code(row, "virtualAccount", 30) or None,
            direction=direction,
            amount=moved,
            memo=text(row, "description"),
            bank_reference=text(row, "tid", 64) or None,
            time=moment(row, "when", SPACED, WITH_T, DAY),
            payer_account=text(row, "corresponsiveAccount", 64) or None,
            payer_name=text(row, "corresponsiveName", 200) or None,
        )


def _data(body: bytes) -> JsonObject:
    try:
        fields = read_object(body, MAX_PAGE_BYTES)
        if fields.get("error") != 0:
            raise ListUnreadable("Casso báo lỗi thay cho danh sách")
        return child(fields, "data")
    except CallbackUnreadable as error:
        raise ListUnreadable(f"Danh sách của Casso không đọc được: {error.message}") from error


def _rows(data: JsonObject) -> list[JsonObject]:
    try:
        return rows_in(data, "records")
    except CallbackUnreadable as error:
        raise ListUnreadable(f"Danh sách của Casso không đọc được: {error.message}") from error
