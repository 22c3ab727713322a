"""What the second person reads of a large act, on real rows: who, why, how much, what stands out; then its lines."""

from __future__ import annotations

import re
from uuid import UUID

from billing.credits.refunding import Wanted as WantedBack
from billing.credits.refunding import ask_refund
from billing.money import Money
from tests.service.pages.queue_town import DUE, IN_CLASS, QueueTown
from tests.service.pages.test_queue_pages import WHY, act_of, field, form_of, reads, sends
from tests.service.pages.test_queue_pages import town as town  # noqa: PLC0414  the fixture

ODD = {0: DUE + 50_000, 1: DUE - 10_000}  # the first child gets credit, the second pays in part


def split(town: QueueTown, lines: int, odd: dict[int, int] | None = None) -> UUID:
    """Ask for a transfer to be split over the first children, each its due but for the odd ones."""
    sums = [(odd or {}).get(number, DUE) for number in range(lines)]
    (transfer,) = town.waits(("UBND xa ho tro", sum(sums)))
    client = town.browser(town.accountant)
    typed = {"em": [str(town.child(number).id) for number in range(lines)], "tien": [str(dong) for dong in sums]}
    page = sends(client, f"/gd/{transfer}/xem", **typed, vao=[""] * lines)[1]
    status, where = sends(client, f"/gd/{transfer}/ghi", **form_of(page, ly_do=WHY))
    assert status == 303, where
    return transfer


def article_of(page: str) -> str:
    (article,) = re.findall(r"<article.*?</article>", page, re.DOTALL)
    return str(article)


def test_a_large_act_says_all_that_matters_before_its_button_and_folds_its_lines(town: QueueTown) -> None:
    transfer = split(town, IN_CLASS + 3, ODD)
    approver = town.browser(town.approver)
    head, lines = article_of(reads(approver, "/viec")).split("Đồng ý cả 39 dòng")
    assert f"<strong>{town.accountant.full_name}</strong>" in head
    assert f"Vì sao: {WHY}" in head
    assert '39 dòng · 38 em · cộng <span class="nowrap">24.740.000 đ' in head
    sums = re.findall(r"<strong>(1[BC])</strong>: (\d+) em · <span class=\"nowrap\">([\d.]+) đ", head)
    assert sums == [("1B", "35", "22.790.000"), ("1C", "3", "1.950.000")]
    assert '<strong>Vào tiền tồn của em</strong>: 1 dòng · <span class="nowrap">50.000 đ' in head
    assert '<strong>Chỉ nộp một phần</strong>: 1 dòng · <span class="nowrap">640.000 đ' in head
    assert "phải nộp 650.000 đ" in head
    assert head.count("<li><strong>") == 2 + 2 + 2, "the two that stand out, how they do, and the two classes"
    assert "data-accept" not in head, "no key on the act agrees to it"
    folds = re.findall(r'<details class="of-class">.*?</details>', lines, re.DOTALL)
    assert [fold.count("<li>") for fold in folds] == [36, 3]
    assert "<details open" not in lines
    shown = reads(approver, f"/gd/{transfer}")
    assert shown.count('<details class="of-class">') == 2
    assert sends(approver, f"/viec/{act_of(town, transfer)}/dong-y")[0] == 303
    assert reads(approver, f"/gd/{transfer}").count('<details class="of-class">') == 2, "so is what is booked"


def test_a_line_that_was_paid_meanwhile_is_told_before_anybody_agrees(town: QueueTown) -> None:
    split(town, 6)
    town.collecting.hear_of(town.collecting.pays(f"CT {town.collecting.requests[4].reference}", DUE))
    head, _ = article_of(reads(town.browser(town.approver), "/viec")).split("Đồng ý cả 6 dòng")
    assert "Nhiều hơn số còn phải nộp, không ghi được</strong>: 1 dòng" in head
    assert f"<strong>{town.child(4).pupil.full_name}</strong>" in head
    assert "nay chỉ còn 0 đ" in head


def test_a_few_lines_are_read_at_once_and_agreed_to_by_a_key(town: QueueTown) -> None:
    split(town, 4, ODD)
    head, rest = article_of(reads(town.browser(town.approver), "/viec")).split("data-accept")
    assert "5 dòng · 4 em" in head
    assert "<details" not in head
    assert "(chỉ nộp một phần: phải nộp 650.000 đ)" in head
    assert rest


def test_an_undoing_that_used_credit_stands_against_lists_every_child_on_the_page(town: QueueTown) -> None:
    transfer = split(town, 3, {0: DUE + 50_000, 1: DUE + 50_000})
    approver, client = town.browser(town.approver), town.browser(town.accountant)
    assert sends(approver, f"/viec/{act_of(town, transfer)}/dong-y")[0] == 303
    page = reads(client, f"/gd/{transfer}")
    assert sends(client, f"/gd/{transfer}/go", da_xem=field(page, "da_xem"), ly_do="Nhầm lớp")[0] == 303
    act = act_of(town, transfer)
    with town.collecting.database.transaction(town.collecting.scope) as session:
        vault, school = town.collecting.wiring.vault, town.billing.id
        for number in range(2):
            wanted = [WantedBack(town.child(number).id, None, Money(50_000))]
            ask_refund(session, vault, town.billing.accountant, school, wanted, "nộp thừa", town.clock())
    status, said = sends(approver, f"/viec/{act}/dong-y")
    assert status == 422
    problem = said.split('role="alert"')[1].split("</div>")[0]
    listed = re.findall(r"<li>(.*?) \(\d+\), lớp 1B: 50.000 đ đã thành tiền tồn, nay chỉ còn 0 đ", problem)
    assert sorted(listed) == sorted(town.child(number).pupil.full_name for number in range(2))
    assert town.state(transfer) == "matched"
