"""The page of weaker signs over the web: tried first, saved by the approver only, and felt by the next transfer."""

from __future__ import annotations

import re

from sqlmodel import col, select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from reconciliation.matching_rules import suggest_by_now
from reconciliation.tables import Match
from reconciliation.weak_signs import Sign
from tests.service.pages.worlds import World

PATH = "/van-phong/cho-xu-ly/goi-y"


def token(client: TestClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(PATH).text)
    assert found
    return found[1]


def shown(client: TestClient, *signs: str) -> str:
    """Return what the page shows when signs are tried, blanks as one."""
    text = client.get(PATH, params={"dau_hieu": list(signs), "xem": "1"}).text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_a_setting_is_tried_saved_by_the_approver_and_felt_by_the_next_transfer(world: World) -> None:
    collecting = world.collecting
    reference = collecting.requests[0].reference
    wrong = reference[:-1] + ("2" if reference[-1] != "2" else "3")
    collecting.hear_of(
        collecting.pays(wrong, 500_000), collecting.pays(reference, 100_000), collecting.pays("khong ma")
    )
    head, accountant = world.signed_in(world.staff("approver")), world.signed_in(world.staff("accountant"))

    text = shown(head, "name", "phone")
    assert "Đã thử trên 3 giao dịch" in text
    assert "Tự ghi nhận, không đổi: 1" in text
    assert "Mất gợi ý: 1" in text
    assert "Chờ như cũ: 1" in text
    assert "Nguyễn Văn 1" in text
    assert "Lưu các dấu hiệu này" in text
    assert "Lưu các dấu hiệu này" not in shown(accountant, "name")

    form = {"csrf": token(head), "dau_hieu": ["name", "phone"]}
    assert head.post(PATH, data=form).status_code == 409, "not previewed"
    answer = head.post(PATH, data={**form, "da_xem": "name,phone"})
    assert answer.status_code == 303, answer.text[-1500:]
    collecting.hear_of(collecting.pays(wrong, 500_000))
    with collecting.database.transaction(collecting.scope) as session:
        assert suggest_by_now(session, collecting.school.id) == {Sign.NAME, Sign.PHONE}
        newest = session.exec(select(Match).order_by(col(Match.id).desc())).first()
        deeds = session.exec(select(AuditEntry.action).where(AuditEntry.object_kind == "matching_rule")).all()
    assert newest is not None
    assert newest.outcome == "unmatched"
    assert list(deeds) == ["matching.set"]
