"""The family's page of a bill that is paid in parts, and of one that a credit note lowered, on real rows."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import zxingcpp
from PIL import Image
from sqlmodel import Session, select

from billing.bills.instalments import Share, split_due
from billing.bills.tables import Bill, BillInstalment, BillLine
from billing.documents.slip_filling import Printing, slip
from billing.documents.vietqr import decode
from billing.money import Money
from billing.payments.balances import request_balances, rest_of
from billing.rounds.correcting import Lowering, approve_correction, propose_credit, propose_price
from tests.factories.rounds import REFERENCE_KEY
from tests.service.pages.test_family_rows import page, pay, rest
from tests.service.pages.worlds import World

SHARES = (Share(date(2025, 10, 20), 40), Share(date(2025, 11, 20), 30), Share(date(2025, 12, 20), 30))


def in_parts(session: Session) -> None:
    """Give every bill the three parts that a round in instalments would have given it."""
    for bill in session.exec(select(Bill)).all():
        session.add_all(
            BillInstalment(
                school_id=bill.school_id, bill_id=bill.id, number=part.number, amount=part.amount, due_on=part.due_on
            )
            for part in split_due(bill.family_due, SHARES)
        )
        session.flush()


def lower_boarding(world: World) -> None:
    """Lower boarding from 300.000 đ to 200.000 đ for everybody, by two people."""

    def act(session: Session) -> None:
        (round_id,) = set(session.exec(select(Bill.round_id)).all())
        accountant, now = world.billing.accountant, world.clock()
        asked = propose_price(session, accountant, round_id, "BANTRU", Money(200_000), "Hội đồng hạ giá", now)
        approve_correction(session, asked.id, world.billing.approver, now, REFERENCE_KEY)

    world.change(act)


def asked_by_code(world: World) -> Money | None:
    picture = Image.open(io.BytesIO(world.client().get(world.link() + "/qr.png").content)).convert("L")
    return decode(zxingcpp.read_barcodes(np.asarray(picture))[0].text).amount


def test_page_and_code_ask_for_the_part_that_is_due(world: World) -> None:
    whole = rest(world)
    world.change(in_parts)
    first, second, third = whole.split([40, 30, 30])
    text = page(world)
    assert "Đợt 1/3" in text
    assert str(first) in text
    assert f"còn lại {second + third} nộp các đợt sau" in text
    assert "20/10/2025" in text
    assert asked_by_code(world) == first
    pay(world, first.dong)
    text = page(world)
    assert "Đợt 2/3" in text
    assert f"Nhà trường đã nhận {first}" in text
    assert asked_by_code(world) == second
    pay(world, second.dong)
    text = page(world)
    assert "Đợt 3/3" in text
    assert "Đây là phần cuối cùng" in text
    assert asked_by_code(world) == third
    pay(world, third.dong)
    assert "Đã có biên lai" in page(world)


def test_money_on_its_way_for_one_part_takes_the_code_away_only_for_that_part(world: World) -> None:
    world.change(in_parts)
    first = rest(world).split([40, 30, 30])[0]
    collecting = world.collecting
    collecting.receive(collecting.bank.callback(collecting.pays(collecting.requests[0].reference, first.dong)))
    collecting.reconcile()
    assert "Đợt 2/3" in page(world)


def test_a_lowered_bill_shows_what_it_comes_to_now(world: World) -> None:
    whole = rest(world)
    lower_boarding(world)
    text = page(world)
    assert str(whole - Money(100_000)) in text
    assert "200.000 đ" in text
    assert "300.000 đ" not in text
    assert asked_by_code(world) == whole - Money(100_000)
    pay(world, whole.dong)
    assert "Tiền nộp thừa: 100.000 đ" in page(world)


def test_who_paid_before_reads_of_the_credit(world: World) -> None:
    pay(world, rest(world).dong)
    lower_boarding(world)
    text = page(world)
    assert "Đã có biên lai" in text
    assert "Tiền nộp thừa: 100.000 đ" in text
    for secret in ("giảm", "Nghị", "%", "Hội đồng"):
        assert secret not in text, secret


def test_an_item_lowered_to_nothing_is_left_out(world: World) -> None:
    def act(session: Session) -> None:
        bill = session.exec(select(Bill).where(Bill.pupil_id == world.billing.pupils[0].id)).one()
        line = session.exec(select(BillLine).where(BillLine.bill_id == bill.id, BillLine.item_code == "TIENAN")).one()
        lowering = [Lowering(line.id or 0, line.family_share)]
        asked = propose_credit(session, world.billing.accountant, bill.id, lowering, "Nghỉ cả tháng", world.clock())
        approve_correction(session, asked.id, world.billing.approver, world.clock(), REFERENCE_KEY)

    assert "Tiền ăn" in page(world)
    world.change(act)
    assert "Tiền ăn" not in page(world)
    with world.collecting.database.transaction(world.collecting.scope) as session:
        request = world.collecting.requests[0]
        made = slip(session, request.id, Printing("https://hocphi.example", world.clock().date()))
        assert "Tiền ăn" not in " ".join(item.name for item in made.items)
        assert made.amount_due == rest_of(request_balances(session, world.billing.id, [request.id])[request.id])


def test_auditor_and_province_read_the_lowered_sums(world: World) -> None:
    pay(world, rest(world).dong)
    lower_boarding(world)
    auditor = world.signed_in(world.staff("auditor"))
    text = auditor.get("/kiem-toan?tu=2025-10-01&den=2025-10-31").text
    assert "Ghi giảm, gia đình nộp ít đi" in text
    assert "200.000 đ" in text  # of two families
    assert "100.000 đ" in text  # of the one who had paid
