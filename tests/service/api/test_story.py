"""A month of a school by API alone, with two persons' tokens; then the office's pages say the same."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from sqlmodel import col, select

from billing.audit.tables import AuditDetail, AuditEntry
from billing.money import Money
from tests.service.api.programs import BUS, MEALS, Program, add_item, bring_pupils, program
from tests.service.pages.fresh import Fresh

MEAL_DAYS = [f"2025-10-{day:02d}" for day in range(1, 32) if date(2025, 10, day).weekday() < 5]
ROUND = {
    "school_year": "2025-2026", "code": "2025-10", "name": "Tháng 10/2025", "period_from": "2025-10-01",
    "period_to": "2025-10-31", "due_on": "2025-10-20", "meal_days": MEAL_DAYS,
}  # fmt: skip


def test_a_month_by_api_and_the_pages_say_the_same(fresh: Fresh) -> None:
    accountant, approver = program(fresh, "accountant"), program(fresh, "approver")
    pupils = bring_pupils(accountant)
    add_item(accountant, MEALS, 32_000)
    add_item(accountant, BUS, 300_000)
    _register(accountant, pupils)
    child = _reduced(accountant, approver, pupils["1A"][0])
    made = _issued(fresh, accountant, approver, child)
    bill = _explained(accountant, made, child)
    _corrected(accountant, approver, made, bill)
    _reaching_back(fresh, accountant, approver, pupils["1B"][0])
    _pages_agree(fresh, accountant, made)
    _deeds_tell(fresh)


def _register(accountant: Program, pupils: dict[str, list[dict[str, Any]]]) -> None:
    [first] = [each for each in accountant.get("/classes")["data"] if each["code"] == "1A"]
    wanted = {"item": "TIENAN", "valid_from": "2025-10-01", "evidence": "Phiếu 10/2025"}
    counted = accountant.do(f"/classes/{first['id']}/registrations", wanted, 201)
    assert counted == {"new": 6, "changed": 0, "unchanged": 0}
    bus = [
        {"enrolment_id": each["enrolment_id"], "item": "XE", "valid_from": "2025-10-01", "evidence": "Phiếu xe"}
        for each in pupils["1B"]
    ]
    assert accountant.do("/registrations", {"registrations": bus}, 201) == {"changed": 6}
    last = {"item": "XE", "enrolment_ids": [pupils["1B"][5]["enrolment_id"]], "last_day": "2025-09-30"}
    assert accountant.do("/registrations/end", last) == {"changed": 1}
    assert len(accountant.get("/registrations?item=XE&day=2025-10-15")["data"]) == 5


def _reduced(accountant: Program, approver: Program, child: dict[str, Any]) -> str:
    """Give a child half of its meals, entered by one and approved by another; return the pupil's id."""
    assert "HOCBONG" in {kind["code"] for kind in accountant.get("/reduction-kinds")}
    wanted = {
        "enrolment_id": child["enrolment_id"], "kind": "HOCBONG", "valid_from": "2025-10-01", "percent": 50,
        "evidence": "QĐ 12/2025",
    }  # fmt: skip
    made = accountant.do("/reductions", wanted, 201)
    assert (made["state"], made["percent"], made["payer"]) == ("waiting", 50, "donor")
    assert accountant.ask("POST", f"/reductions/{made['id']}/approve", {})[0] == 403
    assert approver.do(f"/reductions/{made['id']}/approve")["state"] == "approved"
    return str(child["pupil_id"])


def _issued(fresh: Fresh, accountant: Program, approver: Program, child: str) -> str:
    made = accountant.do("/rounds", ROUND, 201)
    assert (made["state"], made["preview"]) == ("draft", None)
    path = f"/rounds/{made['id']}"
    shown = accountant.do(f"{path}/preview")
    meals, preview = 32_000 * len(MEAL_DAYS), shown["preview"]
    assert preview["totals"]["gross"] == 6 * meals + 5 * 300_000
    assert preview["totals"]["family"] == 5 * meals + meals // 2 + 5 * 300_000
    assert preview["totals"]["donor"] == meals // 2
    charges = accountant.get(f"{path}/charges?limit=200")["data"]
    assert sum(charge["family"] for charge in charges) == preview["totals"]["family"]
    [coming] = accountant.get(f"{path}/charges/{child}")
    assert coming["lines"][0]["shares"][0]["amount"] == meals // 2
    assert accountant.do(f"{path}/submit", {"digest": preview["digest"]})["state"] == "submitted"
    agreed = {"digest": preview["digest"], "agree": True}
    assert accountant.ask("POST", f"{path}/approve", agreed)[0] == 403
    if preview["questions"]:
        status, refused = approver.ask("POST", f"{path}/approve", {"digest": preview["digest"]})
        assert (status, refused["error"]["code"]) == (422, "refused")
    assert approver.do(f"{path}/approve", agreed)["state"] == "approved"
    assert fresh.work() == 1
    issued = accountant.get(path)
    assert (issued["state"], issued["family_total"]) == ("issued", preview["totals"]["family"])
    return path


def _explained(accountant: Program, path: str, child: str) -> dict[str, Any]:
    """Read the reduced child's bill in both views; return the full one."""
    bills = accountant.get(f"{path}/bills?limit=200")["data"]
    assert sum(bill["due"] for bill in bills) == accountant.get(path)["family_total"]
    [mine] = accountant.get(f"{path}/bills?pupil_id={child}")["data"]
    plain = accountant.get(f"/bills/{mine['id']}")
    assert plain["lines"] == [{"name": "Tiền ăn bán trú", "amount": mine["due"], "detail": ""}]
    assert "QĐ 12/2025" not in str(plain)
    assert "gross" not in plain
    full: dict[str, Any] = accountant.get(f"/bills/{mine['id']}?view=full")
    [line] = full["lines"]
    assert line["gross"] == 2 * line["family_share"]
    assert (line["shares"][0]["percent"], line["shares"][0]["evidence"]) == (50, "QĐ 12/2025")
    assert any("32.000 đ" in sentence for sentence in line["sentences"])
    return full


def _corrected(accountant: Program, approver: Program, path: str, bill: dict[str, Any]) -> None:
    [line] = bill["lines"]
    wanted = {
        "kind": "credit", "bill_id": bill["id"], "reason": "Nghỉ có phép",
        "lines": [{"line_id": line["id"], "amount": 16_000}],
    }  # fmt: skip
    asked = accountant.do("/corrections", wanted, 201)
    assert (asked["state"], asked["off_rest"], asked["to_credit"]) == ("open", 16_000, 0)
    assert accountant.get(f"/corrections/{asked['id']}")["bills"][0]["now"] == bill["due"] - 16_000
    assert accountant.ask("POST", f"/corrections/{asked['id']}/approve", {})[0] == 403
    assert approver.do(f"/corrections/{asked['id']}/approve")["state"] == "approved"
    plain = accountant.get(f"/bills/{bill['id']}")
    assert plain["due"] == bill["due"] - 16_000
    assert "Nghỉ có phép" not in str(plain)
    [lowered] = accountant.get(f"/bills/{bill['id']}?view=full")["lines"]
    [note] = lowered["credits"]
    assert (note["family"], note["reason"]) == (16_000, "Nghỉ có phép")
    assert lowered["sentences"][-1].endswith("gia đình bớt 16.000 đ. Lý do: Nghỉ có phép")
    assert approver.ask("POST", f"/corrections/{asked['id']}/approve", {})[0] == 409
    assert accountant.do(f"{path}/lock")["state"] == "locked"
    assert accountant.ask("POST", "/corrections", wanted)[0] == 409
    assert approver.do(f"{path}/unlock", {"reason": "Sửa thêm"})["state"] == "issued"


def _reaching_back(fresh: Fresh, accountant: Program, approver: Program, child: dict[str, Any]) -> None:
    """A paper comes late: October is billed, so it stays, and whoever enters and approves it is told with the link."""
    wanted = {
        "enrolment_id": child["enrolment_id"], "kind": "TRUONGGIAM", "valid_from": "2025-09-01", "percent": 50,
        "evidence": "QĐ 15/2025", "items": ["XE"],
    }  # fmt: skip
    made = accountant.do("/reductions", wanted, 201)
    [bill] = made["unchanged"]
    assert (bill["months"], bill["lowered"]) == (["2025-10"], False)
    assert "POST /corrections" in made["advice"]
    due = accountant.get(f"/bills/{bill['bill_id']}")["due"]
    office = fresh.client(fresh.accountant)
    shown = office.get(f"/van-phong/mien-giam/{made['id']}").text
    assert "Các tháng đã phát hành không đổi" in shown
    assert bill["number"] in shown
    assert office.get(re.findall(rf'href="({bill["page"]}[^"]*)"', shown)[0]).status_code == 200
    agreed = approver.do(f"/reductions/{made['id']}/approve")
    assert agreed["unchanged"] == made["unchanged"]
    assert accountant.get(f"/bills/{bill['bill_id']}")["due"] == due
    [line] = accountant.get(f"/bills/{bill['bill_id']}?view=full")["lines"]
    lower = {"kind": "credit", "bill_id": bill["bill_id"], "reason": "Miễn giảm từ tháng 9",
             "lines": [{"line_id": line["id"], "amount": 150_000}]}  # fmt: skip
    asked = accountant.do("/corrections", lower, 201)
    approver.do(f"/corrections/{asked['id']}/approve")
    assert accountant.get(f"/reductions/{made['id']}")["unchanged"][0]["lowered"] is True
    later = accountant.do("/reductions", {**wanted, "kind": "NHAHAOTAM", "valid_from": "2025-11-01"}, 201)
    assert (later["unchanged"], later["advice"]) == ([], None), "from a month on that is not billed"


def _pages_agree(fresh: Fresh, accountant: Program, path: str) -> None:
    """Compare every bill of the API with what the office's page of the round shows."""
    office = fresh.client(fresh.accountant)
    page = office.get(f"/van-phong/dot-thu/{path.removeprefix('/rounds/')}/hoc-sinh")
    assert page.status_code == 200
    text = re.sub(r"<[^>]+>", " ", page.text)
    bills = accountant.get(f"{path}/bills?limit=200")["data"]
    assert len(bills) == 11
    for bill in bills:
        assert bill["pupil_code"] in text
        assert str(Money(bill["due"])) in text, bill
    listed = re.sub(r"<[^>]+>", " ", office.get("/van-phong/thong-bao").text)
    assert str(Money(sum(bill["due"] for bill in bills))) in listed


def _deeds_tell(fresh: Fresh) -> None:
    """Every deed stands under its person's name and role, and says that it came by a token."""
    rows = fresh.read(
        lambda session: session.exec(
            select(AuditEntry, AuditDetail).join(AuditDetail, col(AuditDetail.audit_id) == col(AuditEntry.id))
        ).all()
    )
    told = {entry.action: (entry.actor_id, entry.actor_role, detail.details.get("via", "")) for entry, detail in rows}
    for action, person in (
        ("fees.add_item", fresh.accountant), ("fees.enter_reduction", fresh.accountant),
        ("fees.approve_reduction", fresh.approver), ("round.submit", fresh.accountant),
        ("round.approve", fresh.approver), ("correction.approve", fresh.approver),
        ("explanation.look", fresh.accountant),
    ):  # fmt: skip
        who, role, via = told[action]
        assert (who, role) == (person.id, "approver" if person is fresh.approver else "accountant"), action
        assert via.startswith("api:"), action
