"""What stands against an act of the queue, told where it was tried, whole, and with what was typed still there."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.audit.tables import AuditEntry
from billing.people.declaring import Named, declare_child
from billing.people.tables import PupilCode
from service.access.tables import AccessEvent, User
from tests.service.pages.queue_town import DUE, QueueTown
from tests.service.pages.test_queue_acts import split
from tests.service.pages.test_queue_pages import WHY, act_of, field, form_of, reads, sends
from tests.service.pages.test_queue_pages import town as town  # noqa: PLC0414  the fixture

UNSEEN = "\u200b\u2060\ufeff\u00ad"


def code_of(town: QueueTown, number: int) -> str:
    with town.collecting.database.transaction(town.collecting.scope) as session:
        return session.exec(select(PupilCode.code).where(PupilCode.pupil_id == town.child(number).id)).one()


def declares(town: QueueTown, user: User, number: int) -> None:
    named = Named(code_of(town, number), town.child(number).pupil.full_name)

    def declare(session: Session) -> None:
        declare_child(session, Actor(user.id, "accountant"), town.billing.id, user.id, named, town.clock())

    town.change(declare)


def pays(town: QueueTown, number: int, dong: int) -> None:
    town.collecting.hear_of(town.collecting.pays(town.collecting.requests[number].reference, dong))


def test_every_bill_that_no_longer_fits_is_named_to_the_second_person(town: QueueTown) -> None:
    transfer = split(town, 6)
    pays(town, 1, DUE)
    pays(town, 4, 100_000)
    status, said = sends(town.browser(town.approver), f"/viec/{act_of(town, transfer)}/dong-y")
    assert status == 409
    assert "2 thông báo thu nay còn ít hơn" in said
    assert "Hãy không đồng ý, để người đề nghị sửa" in said
    for number, rest in ((1, "0 đ"), (4, "550.000 đ")):
        child = f"{town.child(number).pupil.full_name} ({code_of(town, number)}), lớp 1B: thông báo thu "
        (line,) = [each for each in said.split("<li>") if each.startswith(child)]
        assert f"nay chỉ còn {rest} chưa nộp, định ghi 650.000 đ" in line
    assert town.state(transfer) == "waiting"


def test_a_child_of_the_own_family_is_named_before_asking_and_keeps_the_form(town: QueueTown) -> None:
    (transfer,) = town.waits(("UBND xa ho tro", 2 * DUE))
    declares(town, town.accountant, 36)
    client, name = town.browser(town.accountant), town.child(36).pupil.full_name
    typed = {"em": [str(town.child(number).id) for number in (36, 37)], "tien": [str(DUE)] * 2, "vao": ["", ""]}
    page = sends(client, f"/gd/{transfer}/xem", **typed)[1]
    assert f"Có con em trong nhà của bạn: {name} · 1C" in page
    assert "Có con em trong nhà" not in sends(town.browser(town.other), f"/gd/{transfer}/xem", **typed)[1]
    status, said = sends(client, f"/gd/{transfer}/ghi", **form_of(page, ly_do=WHY))
    assert status == 403
    assert f"con em trong nhà của bạn: {name}. Bạn không được" in said
    assert f'value="{WHY}"' in said
    assert said.count('name="tien"') == 2
    assert recorded(town) == [(town.accountant.id, str(town.accountant.id))]
    with town.collecting.database.transaction(town.collecting.scope) as session:
        events = session.exec(select(AccessEvent).where(AccessEvent.user_id == town.accountant.id)).all()
    assert [each.outcome for each in events] == ["refused"]


def recorded(town: QueueTown) -> list[tuple[UUID | None, str]]:
    with town.collecting.database.transaction(town.collecting.scope) as session:
        noted = session.exec(
            select(AuditEntry).where(AuditEntry.action == "own_family.refuse").order_by(col(AuditEntry.id))
        ).all()
    return [(each.actor_id, each.object_id) for each in noted]


def test_a_child_that_the_asker_declares_afterwards_is_told_on_the_second_persons_page(town: QueueTown) -> None:
    transfer = split(town, 3)
    declares(town, town.accountant, 1)
    approver = town.browser(town.approver)
    act = act_of(town, transfer)
    status, said = sends(approver, f"/viec/{act}/dong-y")
    assert status == 403
    assert f"trong nhà của người đề nghị (mã {code_of(town, 1)})" in said
    assert "để đồng nghiệp khác đề nghị lại" in said
    assert f"/viec/{act}/khong" in said, "the page itself, with what can be done"
    assert recorded(town) == [(town.approver.id, str(town.accountant.id))]
    assert town.state(transfer) == "waiting"
    assert sends(approver, f"/viec/{act}/khong", ly_do="Con người đề nghị")[0] == 303


def test_a_reason_that_nobody_can_read_is_none(town: QueueTown) -> None:
    transfer = split(town, 2)
    approver, client = town.browser(town.approver), town.browser(town.accountant)
    act = act_of(town, transfer)
    status, said = sends(approver, f"/viec/{act}/khong", ly_do=UNSEEN)
    assert status == 422
    assert "Hãy ghi lý do không đồng ý" in said
    assert "<details open><summary>Không đồng ý" in said
    assert sends(approver, f"/viec/{act}/dong-y")[0] == 303
    page = reads(client, f"/gd/{transfer}")
    status, said = sends(client, f"/gd/{transfer}/go", da_xem=field(page, "da_xem"), ly_do=UNSEEN)
    assert status == 422
    assert "Hãy ghi lý do gỡ" in said
    status, said = sends(client, f"/gd/{transfer}/ghi-chu", loi=UNSEEN)
    assert status == 422
