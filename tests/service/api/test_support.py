"""A catalogue loaded and learning-cost support handed out, by programs of two people."""

from __future__ import annotations

from typing import Any

from tests.service.api.programs import Program, bring_pupils, program
from tests.service.pages.fresh import Fresh

PAPER = "Giấy chứng nhận hộ nghèo số 15/2025"


def test_an_edited_catalogue_is_loaded_whole_or_not_at_all(fresh: Fresh) -> None:
    accountant = program(fresh, "accountant")
    assert "public-primary" in {row["name"] for row in accountant.get("/catalogues")}
    shipped = accountant.get("/catalogues/public-primary")
    [account] = accountant.get("/accounts")["data"]
    accounts = dict.fromkeys(shipped["account_keys"], account["id"])
    content = shipped["content"]
    board = next(price for price in content["prices"] if price["item"] == "BANTRU")
    usual, board["amount"] = board["amount"], 9_000_000
    wanted: dict[str, Any] = {"content": content, "accounts": accounts}
    status, answer = accountant.ask("POST", "/catalogues", wanted)
    assert (status, answer["error"]["code"]) == (422, "over_cap"), answer
    assert accountant.get("/items")["data"] == []
    board["amount"] = usual - 5_000
    for wrong in ({**wanted, "accounts": {"khac": account["id"]}}, {**wanted, "name": "public-primary"}):
        assert accountant.ask("POST", "/catalogues", wrong)[0] == 422
    made = accountant.do("/catalogues", wanted, 201)
    assert {"BANTRU", "TIENAN"} <= set(made["items"])
    assert accountant.get("/items/BANTRU")["prices"][0]["amount"] == usual - 5_000
    assert accountant.ask("POST", "/catalogues", wanted)[0] == 422, "twice is refused"
    assert accountant.ask("GET", "/catalogues/khong-co")[0] == 404


def test_a_right_a_list_and_a_payout(fresh: Fresh) -> None:
    accountant, approver = program(fresh, "accountant"), program(fresh, "approver")
    child = bring_pupils(accountant)["1A"][0]
    claim, amount = _approved_list(accountant, approver, child)
    path = f"/claims/{claim}/payouts"
    signed = {
        "pupil_id": child["pupil_id"], "received_by": "Điểu Thị Mai", "received_on": "2025-10-06", "way": "cash"
    }  # fmt: skip
    status, answer = accountant.ask("POST", path, signed)
    assert (status, answer["error"]["code"]) == (422, "refused"), "the till is empty"
    came = {"amount": amount, "paid_on": "2025-10-06", "way": "cash", "document": "PT 77"}
    accountant.do(f"/claims/{claim}/payments", came, 201)
    paid = accountant.do(path, signed, 201)
    assert (paid["amount"], paid["received_by"]) == (amount, "Điểu Thị Mai")
    status, answer = accountant.ask("POST", path, signed)
    assert (status, answer["error"]["code"]) == (409, "conflict")
    assert accountant.ask("POST", f"{path}/{claim}/undo", {"reason": "Nhầm"})[0] == 404
    [undone] = accountant.do(f"{path}/{paid['payout_id']}/undo", {"reason": "Ghi nhầm người ký"})
    assert undone["payout_id"] is None
    assert undone["too_much"] == 0
    _taken_back(accountant, approver, path, signed)


def _taken_back(accountant: Program, approver: Program, path: str, signed: dict[str, str]) -> None:
    """The right ended with October, which came to light after the family had signed for four months."""
    [owed] = accountant.get(path)
    assert accountant.do(path, signed, 201)["too_much"] == 0
    [right] = accountant.get("/entitlements")["data"]
    ended = {"last_day": "2025-10-31", "reason": "Hộ đã thoát nghèo"}
    accountant.do(f"/entitlements/{right['id']}/end", ended)
    later = accountant.do("/claims", {"kind": "learning_cost", "school_year": "2025-2026", "instalment": 1}, 201)
    assert later["number"] == 1
    accountant.do(f"/claims/{later['id']}/submit", {"digest": later["digest"]})
    approver.do(f"/claims/{later['id']}/approve", {"digest": later["digest"]})
    [told] = accountant.get(path)
    assert told["too_much"] == owed["amount"] - 2 * 150_000 > 0
    [undone] = accountant.do(f"{path}/{told['payout_id']}/undo", {"reason": "Thu lại phần thừa"})
    assert (undone["payout_id"], undone["amount"], undone["too_much"]) == (None, 300_000, 0)
    assert accountant.do(path, signed, 201)["amount"] == 300_000


def _approved_list(accountant: Program, approver: Program, child: dict[str, Any]) -> tuple[str, int]:
    """Enter a right, approve it and the list of the first term; return the list and what the family is to get."""
    wanted = {
        "enrolment_id": child["enrolment_id"], "kind": "HONGHEO", "evidence": PAPER, "valid_from": "2025-09-01"
    }  # fmt: skip
    status, answer = accountant.ask("POST", "/entitlements", {**wanted, "kind": "GIAU"})
    assert (status, answer["error"]["code"]) == (422, "refused")
    right = accountant.do("/entitlements", wanted, 201)
    assert accountant.ask("POST", f"/entitlements/{right['id']}/approve")[0] == 403
    assert approver.do(f"/entitlements/{right['id']}/approve")["state"] == "approved"
    [listed] = accountant.get("/entitlements")["data"]
    assert {"title", "evidence", "kind"} & set(listed) == set(), "hardship is told one at a time"
    assert accountant.get(f"/entitlements/{right['id']}")["evidence"] == PAPER
    plan = {"kind": "learning_cost", "school_year": "2025-2026", "instalment": 1}
    claim = accountant.do("/claims", plan, 201)["id"]
    digest = accountant.do(f"/claims/{claim}/calculate")["digest"]
    accountant.do(f"/claims/{claim}/submit", {"digest": digest})
    approver.do(f"/claims/{claim}/approve", {"digest": digest})
    [owed] = accountant.get(f"/claims/{claim}/payouts")
    assert (owed["pupil_id"], owed["payout_id"]) == (child["pupil_id"], None)
    assert owed["amount"] == 150_000 * owed["months"] > 0
    return claim, owed["amount"]
