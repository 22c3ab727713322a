"""A stand-in for the lists of movements that SePay and Casso hand out, as their pages describe them.

    python -m service.standins.bank_list --port 8804 --token xin-chao

It pages, limits, asks for its token as the real ones do (SePay answers a wrong one with an empty 200), and makes
trouble on order: it fails for a while, is too slow or too long, hides movements that appear late, and tells a row
again on the next page. Movements come from a stand-in bank in the same process, or over ``POST /movements``.
"""

from __future__ import annotations

import argparse
import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from billing.money import Money
from reconciliation.feeds.stand_in import Movement
from reconciliation.matching import Direction
from service.standins.serving import Running, serve, start_in_thread
from service.standins.trouble import Trouble

TROUBLES = ("500", "429", "garbage", "empty", "too-long", "silence", "moved")
SEPAY_A_SECOND = 3
SEPAY_MOST_ROWS = 5_000
_VIETNAM = timedelta(hours=7)
_SILENCE_SECONDS = 120
_LONG = b" " * (2 * 1024 * 1024)


@dataclass(slots=True)
class ListBank:
    """What the provider knows: movements of all accounts, which of them it does not show yet, and its token.

    ``a_second`` limits SePay's requests by a clock that is handed in; ``repeats`` lets each page of Casso begin with
    the last row of the page before.
    """

    token: str
    seconds: Callable[[], float] = time.monotonic
    a_second: int = SEPAY_A_SECOND
    repeats: bool = False
    trouble: Trouble = field(default_factory=lambda: Trouble(TROUBLES))
    hidden: set[int] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)
    _told: dict[int, Movement] = field(default_factory=dict)
    _times: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, *movements: Movement) -> None:
        """Put movements on the list."""
        with self._lock:
            self._told |= {movement.id: movement for movement in movements}

    def shown(self) -> list[Movement]:
        """Return what the list shows now, oldest first."""
        with self._lock:
            found = [each for each in self._told.values() if each.id not in self.hidden]
        return sorted(found, key=lambda each: (each.at, each.id))

    def too_often(self) -> bool:
        """Count a request; tell whether there were too many in this second."""
        now = self.seconds()
        with self._lock:
            self._times = [each for each in self._times if now - each < 1.0]
            self._times.append(now)
            return len(self._times) > self.a_second

    def sepay(self, asked: dict[str, str]) -> dict[str, Any]:
        """Return SePay's answer: newest first, at most so many."""
        first, last = asked.get("transaction_date_min", ""), asked.get("transaction_date_max", "~")
        account = asked.get("account_number")
        rows = [
            _sepay_row(each)
            for each in reversed(self.shown())
            if account in {None, each.account} and first <= _local(each.at) <= last
        ]
        limit = min(int(asked.get("limit", SEPAY_MOST_ROWS)), SEPAY_MOST_ROWS)
        return {"status": 200, "error": None, "messages": {"success": True}, "transactions": rows[:limit]}

    def casso(self, asked: dict[str, str]) -> dict[str, Any]:
        """Return Casso's answer: a page of all accounts, from a day on."""
        size, page = int(asked.get("pageSize", "10")), int(asked.get("page", "1"))
        found = [each for each in self.shown() if _local(each.at) >= asked.get("fromDate", "")]
        if asked.get("sort") == "DESC":
            found.reverse()
        begin = (page - 1) * size
        records = found[begin - (1 if self.repeats and page > 1 else 0) : begin + size]
        pages = -(-len(found) // size)
        data = {
            "page": page,
            "pageSize": size,
            "nextPage": page + 1 if page < pages else None,
            "prevPage": page - 1 if page > 1 else None,
            "totalPages": pages,
            "totalRecords": len(found),
            "records": [_casso_row(each) for each in records],
        }
        return {"error": 0, "message": "success", "data": data}


def _local(moment: datetime) -> str:
    return f"{moment + _VIETNAM:%Y-%m-%d %H:%M:%S}"


def _sepay_row(movement: Movement) -> dict[str, Any]:
    money_in = movement.amount.dong if movement.direction is Direction.IN else 0
    return {
        "id": str(movement.id),
        "bank_brand_name": "MBBank",
        "account_number": movement.account,
        "transaction_date": _local(movement.at),
        "amount_out": f"{movement.amount.dong - money_in}.00",
        "amount_in": f"{money_in}.00",
        "accumulated": f"{movement.balance.dong}.00",
        "transaction_content": movement.memo,
        "reference_number": movement.bank_reference,
        "code": None,
        "sub_account": movement.virtual_account,
        "bank_account_id": "19",
    }


def _casso_row(movement: Movement) -> dict[str, Any]:
    return {
        "id": movement.id,
        "tid": movement.bank_reference,
        "description": movement.memo,
        "amount": movement.signed.dong,
        "cusum_balance": movement.balance.dong,
        "when": _local(movement.at),
        "bankSubAccId": movement.account,
        "paymentChannel": "",
        "virtualAccount": movement.virtual_account or "",
        "virtualAccountName": "",
        "corresponsiveName": "",
        "corresponsiveAccount": "",
        "corresponsiveBankId": "",
        "corresponsiveBankName": "",
        "accountId": 733,
        "bankCodeName": "mbbank",
    }


class _Doors:
    """What the stand-in answers over HTTP."""

    def __init__(self, bank: ListBank) -> None:
        self._bank = bank

    async def sepay(self, request: Request) -> Response:
        """SePay's address of the list."""
        if request.headers.get("authorization") != f"Bearer {self._bank.token}":
            return Response(b"")
        if self._bank.too_often():
            return PlainTextResponse("Too Many Requests", 429, {"x-sepay-userapi-retry-after": "1"})
        return await self._troubled(request, "x-sepay-userapi-retry-after") or JSONResponse(
            self._bank.sepay(dict(request.query_params))
        )

    async def casso(self, request: Request) -> Response:
        """Casso's address of the list."""
        if request.headers.get("authorization") != f"Apikey {self._bank.token}":
            return JSONResponse({"error": 401, "message": "Unauthorized"}, 401)
        return await self._troubled(request, "retry-after") or JSONResponse(
            self._bank.casso(dict(request.query_params))
        )

    async def book(self, request: Request) -> Response:
        """Put a movement on the list: its published fields as JSON, the moment in UTC."""
        try:
            self._bank.tell(_movement(await request.json()))
        except (TypeError, KeyError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse({"told": True})

    async def order(self, request: Request) -> Response:
        """Order a trouble: ``{"mode": …, "times": n}``."""
        try:
            wish = await request.json()
            self._bank.trouble.order(str(wish["mode"]), int(wish["times"]))
        except (TypeError, KeyError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse({"ordered": wish})

    async def _troubled(self, request: Request, wait_header: str) -> Response | None:
        self._bank.asked.append(dict(request.query_params))
        mode = self._bank.trouble.take()
        if mode == "silence":
            await asyncio.sleep(_SILENCE_SECONDS)
        answers = {
            "500": PlainTextResponse("Internal Server Error", 500),
            "429": PlainTextResponse("Too Many Requests", 429, {wait_header: "2"}),
            "garbage": PlainTextResponse("<html>502 Bad Gateway</html>"),
            "empty": Response(b""),
            "too-long": Response(_LONG, media_type="application/json"),
            "moved": Response(b"", 302, {"location": "http://127.0.0.1:1/elsewhere"}),
        }
        return answers.get(mode)


def _movement(given: dict[str, Any]) -> Movement:
    return Movement(
        id=int(given["id"]),
        account=str(given["account"]),
        virtual_account=given.get("virtual_account"),
        direction=Direction(str(given["direction"])),
        amount=Money(int(given["amount"])),
        memo=str(given["memo"]),
        bank_reference=str(given["bank_reference"]),
        at=datetime.fromisoformat(str(given["at"])).astimezone(UTC),
        balance=Money(int(given.get("balance", 0))),
    )


def app(bank: ListBank) -> Starlette:
    """Return the ASGI program: both lists, and the doors for movements and troubles."""
    doors = _Doors(bank)
    return Starlette(
        routes=[
            Route("/userapi/transactions/list", doors.sepay),
            Route("/v2/transactions", doors.casso),
            Route("/movements", doors.book, methods=["POST"]),
            Route("/trouble", doors.order, methods=["POST"]),
        ]
    )


def start(bank: ListBank, port: int = 0) -> Running:
    """Start in a thread of this process; port 0 takes a free one."""
    return start_in_thread(app(bank), port)


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m service.standins.bank_list", description="Lists of movements.")
    parser.add_argument("--port", type=int, default=8804)
    parser.add_argument("--token", default="xin-chao", help="the token that is believed")
    chosen = parser.parse_args(arguments)
    serve(app(ListBank(chosen.token)), chosen.port)


if __name__ == "__main__":
    main()
