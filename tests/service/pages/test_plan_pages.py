"""The plan of collections on real rows, from the form to the public page; and what the public page never says."""

from __future__ import annotations

import re

from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.people.tables import School
from billing.plans.tables import CollectionPlan
from tests.factories.plans import PDF
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World

PLANS = "/van-phong/ke-hoach-thu"


def filled(client: TestClient) -> dict[str, list[str] | str]:
    """Return the form of a new plan as the accountant fills it in."""
    page = client.get(f"{PLANS}/moi").text

    def values(name: str) -> list[str]:
        return re.findall(rf'name="{name}"[^>]*value="([^"]*)"', page)

    count = len(values("khoan"))
    assert count >= 2
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert token
    return {
        "csrf": token[1], "nam_hoc": "2025-2026", "ngay_hop": "2025-09-14", "noi_hop": "Hội trường", "dong_y": "310",
        "du_hop": "320", "khoan": values("khoan"), "cap": [""] * count,
        "khoi": [""] * count, "muc_thu": values("muc_thu"), "so_em": ["30"] * count,
        "so_lan": ["9"] * count, "cach_tinh": ["Giá thị trường"] * count, "dung_vao": ["Chi trực tiếp"] * count,
    }  # fmt: skip


def upload(client: TestClient, here: str, action: str, content: bytes, **fields: str) -> int:
    data = form(client, here, **fields)
    return client.post(f"{here}/{action}", data=data, files={"tep": ("biên bản.pdf", content)}).status_code


def test_a_price_for_one_grade_and_another_for_the_rest(world: World) -> None:
    accountant = world.signed_in(world.staff("accountant"))
    typed = filled(accountant)
    meals = typed["khoan"].index("TIENAN")
    grades = ["1" if place == meals else "" for place in range(len(typed["khoan"]))]
    more = {"khoan": "TIENAN", "cap": "", "khoi": "2, 3", "muc_thu": "30.000", "so_em": "30", "so_lan": "9",
            "cach_tinh": "Suất nhỏ hơn", "dung_vao": "Thực phẩm"}  # fmt: skip
    both = {name: [*value, more[name]] if isinstance(value, list) else value for name, value in typed.items()}
    assert accountant.post(PLANS, data=both).status_code == 422, "for all grades and for two of them"
    answer = accountant.post(PLANS, data={**both, "khoi": [*grades, "2, 3"]})
    assert answer.status_code == 303, answer.text
    page = accountant.get(answer.headers["location"]).text
    assert "khối 1<" in page
    assert "khối 2, 3<" in page
    assert "30.000 đ/ngày ăn" in page
    assert accountant.post(PLANS, data={**both, "khoi": [*grades, "mười"]}).status_code == 422
    assert accountant.post(PLANS, data={**both, "cap": ["x", *both["cap"][1:]]}).status_code == 422


DECISION = {
    "so_quyet_dinh": "12/QĐ-UBND", "ngay": "2025-09-16", "nguoi_ky": "Lê Văn Ký", "co_quan": "UBND phường Đồng Xoài",
    "ap_dung_tu": "2025-09-01",
}  # fmt: skip


def test_from_the_form_to_the_public_page(world: World) -> None:
    accountant, approver, auditor = (world.signed_in(world.staff(it)) for it in ("accountant", "approver", "auditor"))
    wrong = {**filled(accountant), "dong_y": "ba trăm"}
    assert accountant.post(PLANS, data=wrong).status_code == 422
    answer = accountant.post(PLANS, data=filled(accountant))
    assert answer.status_code == 303, answer.text
    here = str(answer.headers["location"]).partition("?")[0]
    assert upload(accountant, here, "tep", b"PK\x03\x04", loai="minutes") == 422
    assert upload(accountant, here, "tep", PDF + bytes(5 * 1024 * 1024), loai="minutes") == 413
    assert upload(accountant, here, "tep", PDF, loai="minutes") == 303
    send(accountant, here, f"{here}/trinh")
    assert upload(approver, here, "duyet", PDF, **{**DECISION, "so_quyet_dinh": " "}) == 422
    assert upload(approver, here, "duyet", PDF, **DECISION) == 303
    page = auditor.get(here).text
    assert "12/QĐ-UBND" in page
    paper = re.search(rf'href="({here}/tep/[0-9a-f-]+)', page)
    assert paper
    opened = auditor.get(paper[1])
    assert opened.content == PDF
    assert "attachment" in opened.headers["content-disposition"]
    send(approver, PLANS, f"{PLANS}/bat-buoc", ngay="2025-09-01")
    assert "01/09/2025" in auditor.get(PLANS).text

    def stands(session: Session) -> None:
        assert session.exec(select(col(School.plans_required_from)).where(School.id == world.billing.id)).one()
        assert len(session.exec(select(CollectionPlan)).all()) == 1

    world.change(stands)
    public = world.client().get(f"/cong-khai/{world.billing.school.code}").text
    assert "Số 12/QĐ-UBND ngày 16/09/2025 (UBND phường Đồng Xoài)" in public


def test_the_public_page_tells_nothing_of_a_pupil_and_is_one_click_from_the_bill(world: World) -> None:
    address = f"/cong-khai/{world.billing.school.code}"
    assert f'href="{address}"' in world.client().get(world.link(0)).text
    answer, twin = world.client().get(address), world.client().get(f"{address}.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    meals = next(item for item in twin.json()["items"] if item["name"].startswith("Tiền ăn"))
    assert meals["prices"][0]["amount"] == 32_000
    assert meals["voluntary"] is True
    assert "32.000 đ" in answer.text
    said = (answer.text + twin.text).casefold()
    for child in world.billing.pupils:
        for secret in (child.pupil.full_name, str(child.id), str(child.enrolment.id)):
            assert secret.casefold() not in said
    assert "lê thị" not in said
    assert world.client().get("/cong-khai/KHONGCO").status_code == 404
