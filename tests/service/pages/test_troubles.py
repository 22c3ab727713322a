"""What went astray is counted on the office's first page, listed with its reason, and says what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from billing.events.tables import Event
from billing.people.tables import Guardian
from notifications import sending
from notifications.rendering import Desk
from notifications.tables import Message
from reconciliation.tables import Feed, InboxMessage, InboxResult
from service.database import EVERYTHING
from tests.service.pages.worlds import World


def message(world: World, number: int = 0, **more: Any) -> UUID:  # noqa: ANN401  any column of the row
    """Put a message about a bill of a child into the outbox."""
    child = world.billing.pupils[number]
    with world.collecting.database.transaction(EVERYTHING) as session:
        event = session.exec(select(Event).where(Event.kind == "bill_issued").order_by(col(Event.id))).all()[number]
        guardian = session.exec(select(Guardian).order_by(col(Guardian.id))).all()[number]
        fields: dict[str, Any] = {
            "school_id": world.billing.id,
            "event_id": event.id,
            "guardian_id": guardian.id,
            "pupil_id": child.id,
            "kind": "bill_issued",
            "channel": "zalo",
            "next_try_at": world.clock(),
            "made_at": world.clock(),
        }
        row = Message(**{**fields, **more})
        session.add(row)
        session.flush()
        return row.id


def kill_the_sender(world: World) -> None:
    """Claim what is due as a sender does that is then killed, and look again after its lease."""

    def claim(session: Session) -> None:
        for row in session.exec(select(Message).where(Message.state == "pending")).all():
            row.lease_until, row.attempts = world.clock() + sending.LEASE, 1
            session.add(row)

    world.change(claim)
    world.clock.now += 2 * sending.LEASE
    with world.collecting.database.transaction(EVERYTHING) as session:
        for group in sending.reserve(session, world.clock(), 100, 100):
            assert sending.write(session, group, cast("Desk", None), world.clock()) == []  # nothing is left to write


def test_messages_of_a_killed_sender_are_counted_and_listed(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))
    assert "chưa rõ đã đến chưa" not in client.get("/van-phong").text
    message(world, 0)
    message(world, 1)
    kill_the_sender(world)
    home = client.get("/van-phong").text
    assert "2 tin gửi gia đình chưa rõ đã đến chưa." in home
    assert 'href="/van-phong/su-co?' in home
    text = client.get("/van-phong/su-co").text
    for child in world.billing.pupils[:2]:
        assert child.pupil.full_name in text
    assert "2 gia đình chưa được báo" in text
    assert "gọi hỏi gia đình, hoặc phát giấy báo" in text
    assert text.count("chưa: hãy gọi hoặc phát giấy") == 2


def test_who_was_told_in_another_way_is_listed_but_not_counted(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))
    message(world)
    kill_the_sender(world)
    message(world, channel="email", state="accepted", next_try_at=None)
    assert "chưa rõ đã đến chưa" not in client.get("/van-phong").text
    text = client.get("/van-phong/su-co").text
    assert "0 gia đình chưa được báo" in text
    assert "e-mail</td>" in text


def test_old_doubts_are_forgotten(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))
    message(world, state="unknown", next_try_at=None, made_at=world.clock() - timedelta(days=61))
    assert "Không có tin nào như vậy" in client.get("/van-phong/su-co").text


def test_what_the_bank_sent_and_was_put_aside_stands_there_with_its_reason(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))

    def put_aside(session: Session) -> None:
        feed = session.exec(select(Feed)).one()
        row = InboxMessage(feed_id=feed.id, digest=b"1", body_sealed=b"?", headers={}, received_at=world.clock())
        session.add(row)
        session.flush()
        reason = "Ngày giao dịch 06/10/2023 đã quá 2 năm"
        assert row.id is not None
        session.add(InboxResult(inbox_id=row.id, outcome="quarantined", reason=reason, at=world.clock()))

    world.change(put_aside)
    assert 'href="/van-phong/su-co?' in client.get("/van-phong").text
    text = client.get("/van-phong/su-co").text
    assert "Ngày giao dịch 06/10/2023 đã quá 2 năm" in text
    assert world.billing.account.number in text
    assert "Nhập sao kê" in text


@pytest.mark.parametrize(("role", "status"), [("approver", 200), ("auditor", 200), ("cashier", 403)])
def test_who_may_look(world: World, role: str, status: int) -> None:
    assert world.signed_in(world.staff(role)).get("/van-phong/su-co").status_code == status
