"""Opens the plain page of every request that still opens, as a family does, and compares it with what was reckoned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape

from sqlmodel import Session

from service.access.links import ensure_links
from tests.journeys.year.book import Bill, Request
from tests.journeys.year.town import Place, Town

_DAYS_AFTER_DUE = 60
_ROW = re.compile(r'<tr><th scope="row">(.*?)</th><td class="money">(.*?)</td></tr>')
_STATE = re.compile(r'class="state state-(\w+)"')
_AMOUNT = re.compile(r'<p class="amount">(.*?)</p>')
_CHECKED = re.compile(r"Một khoản (.*?) ghi mã nộp này đã đến")
_SURPLUS = re.compile(r"Tiền nộp thừa: (.*?)\. Nhà trường")


@dataclass(frozen=True, slots=True)
class Page:
    """What a family reads: the state, what is asked for, the rows of the table, what is being checked or too much."""

    state: str
    asked: str | None
    rows: tuple[tuple[str, str], ...]
    checking: str | None
    surplus: str | None


def compare_pages(town: Town, *, whole: bool) -> None:
    """Open the page of every request on which something is open; ``whole``: every page that opens today."""
    for place in town.places.values():
        for link, request in _links(town, place, whole=whole):
            answer = town.client.get(link)
            assert answer.status_code == 200, (request.pupil, answer.text)
            assert read(answer.text) == expected(place, request), request.pupil


def _links(town: Town, place: Place, *, whole: bool) -> list[tuple[str, Request]]:
    oldest = town.clock.today - timedelta(days=_DAYS_AFTER_DUE)
    opens = [each for each in place.reckoner.book.requests if max(bill.due_on for bill in each.bills) >= oldest]
    live = [each for each in opens if whole or each.rest]
    with town.at(place) as session:
        return _addresses(town, session, place, live)


def _addresses(town: Town, session: Session, place: Place, wanted: list[Request]) -> list[tuple[str, Request]]:
    rows = town.rows_of(session, place)
    found = ensure_links(session, town.wiring.link_key, "", [rows[id(each)] for each in wanted], town.clock.now)
    return [(found[rows[id(each)].id], each) for each in wanted]


def read(page: str) -> Page:
    """Read a page as it is shown."""
    state = _STATE.search(page)
    assert state is not None
    return Page(
        state[1],
        _first(_AMOUNT, page) if state[1] in {"waiting", "part_paid"} else None,
        tuple((unescape(name), amount) for name, amount in _ROW.findall(page)),
        _first(_CHECKED, page),
        _first(_SURPLUS, page),
    )


def _first(pattern: re.Pattern[str], page: str) -> str | None:
    found = pattern.search(page)
    return found[1] if found else None


def money(dong: int) -> str:
    """Write an amount as families read it."""
    return f"{dong:,} đ".replace(",", ".")


def expected(place: Place, request: Request) -> Page:
    """Return what the page of a request must show."""
    bills = [bill for bill in request.bills if not bill.void]
    due, rest = sum(bill.due for bill in bills), sum(bill.rest for bill in bills)
    received, leftover = sum(bill.received for bill in bills), sum(bill.leftover for bill in bills)
    state = _state(bills, due, rest, received)
    left = sum(paid.left for paid in place.reckoner.book.paid
               if paid in request.named_by or any(bill in request.bills for bill in paid.bills))  # fmt: skip
    kept = sum(amount for (whose, _), amount in place.reckoner.book.credit.items() if whose == request.pupil)
    surplus = min(left + sum(bill.to_credit for bill in bills), kept)
    return Page(
        state,
        money(rest) if rest else None,
        tuple(_rows(place, bills, due, received, leftover, rest)) if due else (),
        money(request.waiting) if request.waiting and rest else None,
        money(surplus) if surplus and not _twice(place, request, due) else None,
    )


def _state(bills: list[Bill], due: int, rest: int, received: int) -> str:
    if not bills:
        return "void"
    if not due:
        return "covered"
    if rest:
        return "part_paid" if received else "waiting"
    return "receipted" if received else "offset"


def _rows(  # noqa: PLR0913, PLR0917  the sums of a page
    place: Place, bills: list[Bill], due: int, received: int, leftover: int, rest: int
) -> list[tuple[str, str]]:
    several = len({place.reckoner.rounds[bill.round].period for bill in bills}) > 1
    rows = [
        (place.plan.item(item).name + (f" – {bill.period}" if several else ""), money(amount))
        for bill in bills
        for item, amount in bill.shown
    ]
    rows.append(("Cộng", money(due)))
    if gone := sum(bill.written_off for bill in bills):
        rows.append(("Không phải nộp nữa", money(gone)))
    if leftover:
        rows.append(("Đã trừ tiền tồn", money(leftover)))
    if received:
        rows.append(("Đã nhận", money(received)))
    if leftover and rest:
        rows.append(("Còn phải nộp", money(rest)))
    return rows


def _twice(place: Place, request: Request, due: int) -> bool:
    """Tell whether the whole sum came once more when nothing was due any more."""
    ours = [paid for paid in place.reckoner.book.paid
            if paid in request.named_by or any(bill in request.bills for bill in paid.bills)]  # fmt: skip
    return any(paid.left == paid.amount == due for paid in ours)
