"""The page of bank feeds on real rows: how fresh each is, what is held, and that two people let it go."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

from starlette.testclient import TestClient

from billing.money import Money
from reconciliation.feeds.opening import open_feed
from reconciliation.feeds.sepay import API_KEY
from reconciliation.lists.base import LIST
from reconciliation.lists.tables import FeedRefusal, Poll
from reconciliation.matching import Direction
from reconciliation.tables import Feed
from tests.factories.collecting import PAID_AT
from tests.reconciliation.statements.test_importing import bring
from tests.reconciliation.statements.test_vouching import without
from tests.service.pages.test_fee_pages import token_of
from tests.service.pages.worlds import World

HERE = "/van-phong/kenh-ngan-hang"


def sends(client: TestClient, path: str, **fields: str) -> int:
    return client.post(path, data={"csrf": token_of(client), **fields}).status_code


def reads(client: TestClient) -> str:
    answer = client.get(HERE)
    assert answer.status_code == 200
    return html.unescape(answer.text)


def test_held_money_is_let_go_by_two_people(world: World) -> None:
    collecting = world.collecting
    with collecting.database.transaction(collecting.scope) as session:
        feed = session.get_one(Feed, collecting.feed.id)
        feed.closed_at = PAID_AT
        session.add(feed)
        key, _ = open_feed(
            session, world.wiring.vault, collecting.account, "sepay", API_KEY, "x", Money(20_000_000), PAID_AT
        )
    collecting.receive(
        collecting.bank.callback(collecting.pays(collecting.requests[0].reference, 25_000_000)), feed=key
    )
    collecting.reconcile()
    assert collecting.states() == ["held"]
    [held] = collecting.transfers()
    accountant, approver, auditor = (
        world.signed_in(world.staff(role)) for role in ("accountant", "approver", "auditor")
    )

    shown = reads(accountant)
    assert "25.000.000 đ" in shown
    assert held.bank_reference is not None
    assert held.bank_reference in shown
    assert "giữ lại trên" in shown
    assert "Đề nghị thả" in shown
    assert "Đề nghị thả" not in reads(auditor)
    ask = f"{HERE}/giu-lai/{held.id}"
    assert [sends(who, ask, ly_do="Đã xem") for who in (approver, auditor)] == [403, 403]
    assert sends(accountant, ask, ly_do="  ") == 422
    assert sends(accountant, ask, ly_do="Đã gọi ngân hàng") == 303
    assert sends(accountant, ask, ly_do="Lần nữa") == 409
    assert "Rút lại" in reads(accountant)
    assert "Duyệt thả" not in reads(accountant)
    shown = reads(approver)
    assert "Đã gọi ngân hàng" in shown
    [path] = [
        part.split('"')[0].split("?")[0] for part in shown.split('action="')[1:] if "/duyet" in part.split('"')[0]
    ]
    assert sends(accountant, path) == 403
    assert sends(approver, path) == 303
    assert "reconciliation.settle" in world.rung
    collecting.reconcile()
    assert collecting.states() == ["matched"]
    assert "Không có khoản nào bị giữ lại" in reads(approver)
    assert sends(approver, path) == 409


def test_money_out_that_no_statement_shows_is_taken_out_by_two_people(world: World) -> None:
    collecting = world.collecting
    forged = collecting.pays("rut tien", 900_000, direction=Direction.OUT)
    collecting.hear_of(forged)
    collecting.pays("hoc phi", 50_000)
    bring(collecting, without(collecting, forged))
    accountant, approver, auditor = (
        world.signed_in(world.staff(role)) for role in ("accountant", "approver", "auditor")
    )
    [out] = [each for each in collecting.transfers() if each.direction == "out"]
    where = f"{HERE}/loai/{out.id}"

    compared = "/van-phong/doi-chieu-nguon"
    assert where in accountant.get(compared).text
    assert where not in approver.get(compared).text
    assert where not in auditor.get(compared).text
    assert [sends(who, where, ly_do="Không có") for who in (approver, auditor)] == [403, 403]
    assert sends(accountant, where, ly_do=" ") == 422
    assert sends(accountant, where, ly_do="Đã xem: ngân hàng không có") == 303
    shown = reads(approver)
    assert "Đã xem: ngân hàng không có" in shown
    assert "đã ghi sổ, sao kê không có" in shown
    assert "Duyệt loại" in shown
    [path] = [
        part.split('"')[0].split("?")[0] for part in shown.split('action="')[1:] if "/duyet" in part.split('"')[0]
    ]
    assert sends(approver, path) == 303
    assert "rut tien" not in reads(accountant)
    assert "rut tien" not in accountant.get(compared).text
    collecting.reconcile()
    assert collecting.states() == ["quarantined", "waiting"]


def test_how_fresh_each_feed_is_stands_there_and_a_late_list_is_called_so(world: World) -> None:
    collecting = world.collecting
    collecting.receive(b"{}")
    with collecting.database.transaction(collecting.scope) as session:
        asked, _ = open_feed(session, world.wiring.vault, collecting.account, "sepay", LIST, "x", None, PAID_AT)
        day = PAID_AT.date()
        for reason, count in (("address", 3), ("signature", 2)):
            session.add(
                FeedRefusal(school_id=asked.school_id, feed_id=collecting.feed.id, day=day, reason=reason, count=count)
            )
    office = world.signed_in(world.staff("accountant"))
    shown = reads(office)
    assert "chưa lần nào" in shown
    assert "3 tin từ địa chỉ lạ, 2 tin sai chữ ký" in shown
    assert "chậm" not in shown
    assert office.get("/readyz").json()["degraded"] == []

    world.clock.now += timedelta(minutes=16)
    office = world.signed_in(world.staff("accountant"))
    assert "chậm" in reads(office)
    assert office.get("/readyz").json()["degraded"] == ["lists"], "known to whoever watches the machine too"

    def polls(kind: str, **facts: object) -> Poll:
        row: dict[str, Any] = {
            "first": PAID_AT,
            "last": world.clock.now,
            "outcome": "done",
            "began_at": PAID_AT,
            **facts,
        }
        return Poll(school_id=asked.school_id, feed_id=asked.id, kind=kind, ended_at=world.clock.now, **row)

    again = f"{HERE}/so-lai/{asked.id}"
    auditor = world.signed_in(world.staff("auditor"))
    assert again in reads(office)
    assert again not in reads(auditor)
    assert sends(auditor, again, tu="2025-10-01", den="2025-10-05") == 403
    assert [sends(office, again, tu=one, den=other) for one, other in (("", ""), ("2025-10-05", "2025-10-01"),
            ("2025-09-01", "2025-10-05"), ("2025-10-05", "2025-10-08"))] == [422] * 4  # fmt: skip
    assert sends(office, f"{HERE}/so-lai/{collecting.feed.id}", tu="2025-10-01", den="2025-10-05") == 404
    assert sends(office, again, tu="2025-10-01", den="2025-10-05") == 303
    assert sends(office, again, tu="2025-10-01", den="2025-10-05") == 409
    assert "reconciliation.poll" in world.rung
    assert "01/10/2025 – 05/10/2025" in reads(office)
    with collecting.database.transaction(collecting.scope) as session:
        session.add(polls("window"))
        session.flush()
        session.add(polls("day", listed=12, fresh=3, odd=1, unlisted=2))
        session.flush()
        session.add(polls("window", outcome="failed", reason="SePay không trả lời"))
    shown = reads(office)
    assert "chậm" not in shown
    assert "danh sách có 12, mới 3, khác 1, chỉ sổ có 2" in shown
    assert "SePay không trả lời" in shown
    assert office.get("/readyz").json()["degraded"] == []
