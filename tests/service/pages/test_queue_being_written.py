"""What is held by another transaction for too long is told as that, on the queue's own page, with what was typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session

from reconciliation.queue import assigning, retrying
from service.database import EVERYTHING
from tests.service.pages.queue_town import DUE, QueueTown
from tests.service.pages.test_queue_pages import WHY, act_of, asked, field, form_of, reads, sends
from tests.service.pages.test_queue_pages import town as town  # noqa: PLC0414  the fixture

BEING_WRITTEN = "Dữ liệu này đang được ghi, hãy tải lại sau ít phút."


def impatient(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:  # noqa: ANN401  a module
    """Let an act wait 20 ms for a lock, not 10 s."""
    was: Callable[..., object] = getattr(module, name)

    def soon(session: Session, *told: object) -> object:
        session.execute(text("SET LOCAL lock_timeout = '20ms'"))
        return was(session, *told)

    monkeypatch.setattr(module, name, soon)


def test_what_another_writes_is_told_on_the_page_itself_and_nothing_typed_is_lost(
    town: QueueTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = town.waits(("hoang yen dong tien", 600_000), ("ong noi gui", 2 * DUE))
    asked(town, first, 12)
    act: UUID = act_of(town, first)
    approver, client = town.browser(town.approver), town.browser(town.other)
    page = reads(client, f"/gd/{second}/xem?em={town.child(36).id}")
    typed = form_of(page, ly_do=WHY, tien=["1.300.000"])
    for module, name in ((assigning, "agree"), (assigning, "assign"), (retrying, "retry"), (assigning, "refuse")):
        impatient(monkeypatch, module, name)
    with town.collecting.database.transaction(EVERYTHING) as session:
        session.execute(text("SELECT FROM transfers FOR UPDATE"))
        pressed = {
            f"/viec/{act}/dong-y": sends(approver, f"/viec/{act}/dong-y"),
            f"/viec/{act}/khong": sends(approver, f"/viec/{act}/khong", ly_do="Chưa rõ"),
            "thu-lai": sends(client, f"/gd/{second}/thu-lai", da_xem=field(page, "da_xem")),
            "ghi": sends(client, f"/gd/{second}/ghi", **typed),
        }
    for path, (status, said) in pressed.items():
        assert (path, status) == (path, 503)
        assert BEING_WRITTEN in said.split('role="alert"')[1]
    assert f"/viec/{act}/dong-y" in pressed[f"/viec/{act}/dong-y"][1], "on the list itself"
    kept = pressed["ghi"][1]
    assert f'value="{WHY}"' in kept
    assert 'value="1300000"' in kept
    assert sends(client, f"/gd/{second}/ghi", **form_of(kept, ly_do=WHY))[0] == 303, (
        "later it goes through as it stands"
    )
    assert sends(approver, f"/viec/{act}/dong-y")[0] == 303
    assert sends(approver, f"/viec/{act}/dong-y")[0] == 409, "and a second press is told who did it"


def test_everywhere_else_it_is_told_in_the_same_words(town: QueueTown, monkeypatch: pytest.MonkeyPatch) -> None:
    (transfer,) = town.waits(("ong noi gui", DUE))
    client = town.browser(town.accountant)

    def locks(session: Session, *_: object) -> None:
        session.execute(text("SELECT FROM transfers FOR UPDATE NOWAIT"))

    monkeypatch.setattr(retrying, "comment", locks)  # a form whose page does not tell errors itself
    with town.collecting.database.transaction(EVERYTHING) as session:
        session.execute(text("SELECT FROM transfers FOR UPDATE"))
        status, said = sends(client, f"/gd/{transfer}/ghi-chu", loi="Đã gọi")
    assert status == 503
    assert BEING_WRITTEN in said
    assert "đang bận" not in said
    assert sends(client, f"/gd/{transfer}/ghi-chu", loi="Đã gọi")[0] == 303
