"""Catalogue files: the shipped ones are whole, and a wrong one is refused with file, entry and reason."""

import json
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from billing.errors import Refused
from billing.fees.caps import Place, check_schedule
from billing.fees.catalogue import (
    SHIPPED,
    Catalogue,
    parse_catalogue,
    read_catalogue,
    shipped_catalogue,
    shipped_rules,
)
from billing.fees.errors import BadCatalogue
from billing.fees.items import Group, Level, Ownership, Payer, Quantity, Unit
from billing.fees.kinds import KINDS_FILE
from billing.money import Money
from tests.factories.fees import OCTOBER, SCHOOL_YEAR

CATALOGUES = [path for path in sorted(SHIPPED.glob("*.json")) if path.name != KINDS_FILE]
GOOD: dict[str, Any] = {
    "title": "Thử",
    "sources": [{"code": "NQ", "text": "Nghị quyết"}],
    "items": [
        {
            "code": "A",
            "name": "Tiền nước",
            "group": "agreed",
            "unit": "month",
            "account": "main",
            "basis": "NQ",
            "revenue_account": "531",
        }
    ],
    "prices": [{"item": "A", "amount": 10000, "valid_from": "2025-09-01", "valid_to": "2026-05-31"}],
    "reductions": [
        {
            "code": "R",
            "title": "Giảm",
            "payer": "school",
            "percent": 10,
            "items": ["A"],
            "basis": "NQ",
            "valid_from": "2025-09-01",
        }
    ],
    "caps": [
        {
            "item": "A",
            "levels": ["primary", "preschool"],
            "zones": ["ward", "rural"],
            "unit": "month",
            "amount": 12000,
            "basis": "NQ",
            "valid_from": "2025-09-01",
        }
    ],
    "prohibitions": [{"words": ["Giữ xe"], "article": "Điều X", "valid_from": "2025-09-01"}],
    "insurance": [
        {"base_wage": 1, "rate_permille": 45, "state_percent": 50, "basis": "NQ", "valid_from": "2025-09-01"}
    ],
}


def parse(content: object) -> Catalogue:
    return parse_catalogue(json.dumps(content), "thu.json")


def changed(section: str, **fields: object) -> dict[str, Any]:
    content = deepcopy(GOOD)
    content[section][0] |= fields
    return content


def without(section: str, field: str) -> dict[str, Any]:
    content = deepcopy(GOOD)
    del content[section][0][field]
    return content


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: str(path.stem))
def test_every_shipped_file_reads_and_keeps_to_the_rules(path: Path) -> None:
    catalogue = read_catalogue(path)
    assert catalogue.name == path.stem
    assert catalogue.title
    assert all(price.item.group is not Group.DONATION for price in catalogue.prices)
    places = {
        "public-primary": Place(Ownership.PUBLIC, Level.PRIMARY, "ward", "binh_phuoc"),
        "public-preschool": Place(Ownership.PUBLIC, Level.PRESCHOOL, "ward", "binh_phuoc"),
        "public-upper-secondary": Place(Ownership.PUBLIC, Level.UPPER_SECONDARY, "ward", "binh_phuoc"),
        "public-primary-hcmc": Place(Ownership.PUBLIC, Level.PRIMARY, "ward", "ho_chi_minh"),
    }
    if path.stem in places:
        assert check_schedule(catalogue.prices, places[path.stem], OCTOBER, shipped_rules())


def test_what_nobody_compared_with_the_official_text_says_so() -> None:
    for path in CATALOGUES:
        remarks = " ".join(remark for _, remark in read_catalogue(path).comments)
        assert "chưa đối chiếu" in remarks, path.name


def test_a_good_file_is_read_whole() -> None:
    catalogue = parse(GOOD)
    (price,) = catalogue.prices
    assert price.item == catalogue.item("A")
    assert (price.amount, price.valid, price.quantity) == (Money(10_000), SCHOOL_YEAR, Quantity.FIXED)
    assert price.item.legal_basis == "Nghị quyết"
    (reduction,) = catalogue.reductions
    assert (reduction.payer, reduction.percent, reduction.valid.end) == (Payer.SCHOOL, 10, None)
    assert {(cap.level, cap.zone, cap.max_amount.dong) for cap in catalogue.caps} == {
        (level, zone, 12_000) for level in (Level.PRIMARY, Level.PRESCHOOL) for zone in ("ward", "rural")
    }
    assert catalogue.prohibitions[0].words == ("giu xe",)
    assert catalogue.insurance[0].valid.start == date(2025, 9, 1)
    assert catalogue.comments == ()


def test_texts_become_nfc_and_comments_are_kept() -> None:
    content = changed("items", name="Tiê\u0300n nươ\u0301c", comment="giá ví dụ")
    catalogue = parse(content)
    assert catalogue.item("A").name == "Tiền nước"
    assert catalogue.comments == (("items[1]", "giá ví dụ"),)


def test_a_meal_price_follows_the_meal_days_by_itself() -> None:
    (price,) = parse(changed("items", unit="meal_day")).prices
    assert (price.item.unit, price.quantity) == (Unit.MEAL_DAY, Quantity.MEAL_DAYS)


@pytest.mark.parametrize(
    ("content", "entry", "reason"),
    [
        ([], "(cả tệp)", "đối tượng"),
        ({}, "(cả tệp)", "thiếu “title”"),
        (GOOD | {"title": " "}, "(cả tệp)", "không được để trống"),
        (GOOD | {"prises": []}, "(cả tệp)", "trường lạ: prises"),
        (GOOD | {"items": {}}, "(cả tệp)", "“items” phải là một danh sách"),
        (GOOD | {"items": ["A"]}, "items[1]", "đối tượng"),
        (GOOD | {"items": GOOD["items"] * 2}, "items[2]", "khoản thu A được ghi hai lần"),
        (GOOD | {"sources": GOOD["sources"] * 2}, "sources[2]", "căn cứ NQ được ghi hai lần"),
        (changed("items", group="gift"), "items[1]", "“group” là 'gift'"),
        (changed("items", basis="LUAT"), "items[1]", "căn cứ 'LUAT' không có"),
        (changed("items", name=""), "items[1]", "“name” không được để trống"),
        (changed("items", opt_in="yes"), "items[1]", "true hoặc false"),
        (changed("items", colour="red"), "items[1]", "trường lạ: colour"),
        (changed("items", group="donation"), "prices[1]", "tài trợ"),
        (changed("items", unit="once"), "prices[1]", "vào một tháng nào"),
        (without("items", "account"), "items[1]", "thiếu “account”"),
        (changed("prices", item="B"), "prices[1]", "khoản thu 'B' không có"),
        (changed("prices", amount=10000.0), "prices[1]", "số nguyên"),
        (changed("prices", amount="10000"), "prices[1]", "số nguyên"),
        (changed("prices", amount=True), "prices[1]", "số nguyên"),
        (changed("prices", amount=-1), "prices[1]", "không được âm"),
        (changed("prices", amount=0), "prices[1]", "lớn hơn 0"),
        (changed("prices", valid_from="01/09/2025"), "prices[1]", "phải là ngày"),
        (changed("prices", valid_to="2025-08-31"), "prices[1]", "trước ngày bắt đầu"),
        (changed("prices", grades=["1"]), "prices[1]", "danh sách số nguyên"),
        (changed("prices", grades=[True]), "prices[1]", "danh sách số nguyên"),
        (changed("prices", classes=["1A", "1A"]), "prices[1]", "lặp lại"),
        (changed("prices", levels=["college"]), "prices[1]", "“levels” là 'college'"),
        (without("prices", "valid_from"), "prices[1]", "thiếu “valid_from”"),
        (changed("reductions", items=["B"]), "reductions[1]", "khoản thu 'B' không có"),
        (changed("reductions", percent=120), "reductions[1]", "từ 1 đến 100"),
        (changed("reductions", amount=5), "reductions[1]", "tỷ lệ hoặc số tiền"),
        (changed("reductions", payer="family"), "reductions[1]", "không thể là gia đình"),
        (changed("caps", levels=[]), "caps[1]", "thiếu “levels”"),
        (changed("caps", unit="week"), "caps[1]", "“unit” là 'week'"),
        (GOOD | {"caps": GOOD["caps"] * 2}, "(cả tệp)", "hai mức trần"),
        (changed("prohibitions", words=["!"]), "prohibitions[1]", "thiếu “words”"),
        (changed("insurance", state_percent=101), "insurance[1]", "từ 0 đến 100"),
    ],
)
def test_a_wrong_file_is_refused_with_file_entry_and_reason(content: object, entry: str, reason: str) -> None:
    with pytest.raises(BadCatalogue) as refusal:
        parse(content)
    error = refusal.value
    assert (error.file, error.entry) == ("thu.json", entry)
    assert reason in error.reason
    assert error.message == f"Danh mục thu.json, mục {entry}: {error.reason}. Hãy sửa mục này rồi nạp lại."


@pytest.mark.parametrize("text", ["", "{", '{"title": "a", "title": "b"}', "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(BadCatalogue, match="không phải JSON đúng"):
        parse_catalogue(text, "thu.json")


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogue, match=r"khong-co\.json"):
        read_catalogue(tmp_path / "khong-co.json")
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{"title": "\xe9"}')
    with pytest.raises(BadCatalogue, match="UTF-8"):
        read_catalogue(latin)


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "truong.json"
    path.write_text(json.dumps(GOOD), encoding="utf-8-sig")
    assert read_catalogue(path).name == "truong"


def test_an_unknown_item_is_named() -> None:
    with pytest.raises(Refused, match="không có khoản thu XYZ"):
        shipped_catalogue("public-primary").item("XYZ")
