"""Tests of files that the office hands in: tried, imported, refused whole."""

from __future__ import annotations

import re

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from billing.errors import RowProblem
from billing.people.tables import Pupil
from service.database import EVERYTHING
from tests.factories import rosters
from tests.service.pages.conftest import signed_in
from tests.service.pages.sample_desk import SampleDesk
from tests.service.pages.worlds import World


def token_of(client: TestClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/van-phong/tai-len").text)
    assert found
    return found[1]


def upload(client: TestClient, kind: str, data: bytes, **fields: str) -> tuple[int, str]:
    form = {"csrf": token_of(client), **fields}
    answer = client.post(f"/van-phong/tai-len/{kind}", data=form, files={"tep": ("tep.xlsx", data)})
    return answer.status_code, answer.text


def pupils(world: World) -> int:
    with world.collecting.database.transaction(EVERYTHING) as session:
        return len(session.exec(select(Pupil.id)).all())


def test_a_roster_is_tried_then_imported_and_again_changes_nothing(world: World) -> None:
    client, data = world.signed_in(world.staff("accountant")), rosters.sheet_file([rosters.pupil(1), rosters.pupil(2)])
    status, text = upload(client, "danh-sach", data, cho="2025-2026", viec="kiem-tra")
    assert status == 200, text
    assert "2 mới" in text
    assert "chưa ghi gì" in text
    assert pupils(world) == 3
    status, text = upload(client, "danh-sach", data, cho="2025-2026", viec="nhap")
    assert (status, "Đã ghi" in text) == (200, True)
    assert pupils(world) == 5
    _, text = upload(client, "danh-sach", data, cho="2025-2026", viec="nhap")
    assert "0 mới, 0 thay đổi, 2 đã có" in text


def test_every_bad_row_is_listed_and_nothing_is_stored(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))
    bad_class, bad_day = rosters.pupil(2, **{"Mã lớp": "9Z"}), rosters.pupil(3, **{"Ngày sinh": "hôm qua"})
    data = rosters.sheet_file([rosters.pupil(1), bad_class, bad_day])
    status, text = upload(client, "danh-sach", data, cho="2025-2026", viec="nhap")
    assert status == 422
    assert "9Z" in text
    assert "Ngày sinh" in text
    assert pupils(world) == 3


@pytest.mark.parametrize("kind", ["danh-sach", "lien-he"])
def test_a_file_that_is_no_sheet_is_refused(world: World, kind: str) -> None:
    client = world.signed_in(world.staff("accountant"))
    cho = {"danh-sach": "2025-2026"}.get(kind, "")
    status, _ = upload(client, kind, b"\x00\x01 not a sheet", cho=cho, viec="nhap")
    assert status == 422


def test_a_year_without_classes_is_not_found(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))
    assert upload(client, "danh-sach", b"x", cho="1999-2000", viec="nhap")[0] == 404


def test_problems_are_shown_as_a_table_and_as_json(client: TestClient, desk: SampleDesk) -> None:
    desk.problems = [RowProblem(7, "Ngày sinh", "Ngày <b>31/02</b> không có", "Sửa ngày")]
    signed_in(client, desk, "accountant")
    status, text = upload(client, "danh-sach", b"PK", cho="2025-2026")
    assert status == 422
    assert "&lt;b&gt;31/02" in text
    form, file = {"csrf": token_of(client)}, {"tep": b"PK"}
    answer = client.post("/van-phong/tai-len/lien-he", data=form, files=file, headers={"accept": "application/json"})
    assert answer.json()["rows"][0]["line"] == 7


def test_files_up_to_10_megabytes_and_forms_up_to_64_kilobytes(client: TestClient, desk: SampleDesk) -> None:
    signed_in(client, desk, "accountant")
    megabyte = 1024 * 1024
    assert upload(client, "danh-sach", b"x" * (10 * megabyte))[0] == 200
    assert upload(client, "danh-sach", b"x" * (10 * megabyte + 1))[0] == 413
    assert upload(client, "danh-sach", b"x" * (12 * megabyte))[0] == 413
    form = {"csrf": token_of(client), "login": "x" * 70_000}
    assert client.post("/dang-nhap", data=form).status_code == 413
    assert desk.done == [(f"upload danh-sach {10 * megabyte}", "accountant")]


def test_a_refused_file_leads_back_to_where_it_was_handed_in(world: World) -> None:
    client = world.signed_in(world.staff("accountant"))
    place = f"?truong={world.billing.school.code}"
    form = {"csrf": token_of(client), "cho": "2025-2026", "viec": "nhap"}
    answer = client.post(f"/van-phong/tai-len/danh-sach{place}", data=form, files={"tep": ("tep.xlsx", b"no sheet")})
    assert answer.status_code == 422
    assert f'href="/van-phong/tai-len{place}"' in answer.text
    assert client.get(f"/van-phong/tai-len{place}").status_code == 200
