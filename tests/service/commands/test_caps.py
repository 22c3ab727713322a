"""The door ``caps``: a council's caps are read from a catalogue file, loaded once, and bind the province's schools."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from billing.audit.tables import AuditDetail, AuditEntry
from billing.errors import OverCap
from billing.fees.insurance import rule_on
from billing.fees.insured import read_insurance_rules
from billing.fees.items import Span
from billing.fees.pricing import NewPrice, add_price
from billing.fees.schedule import judge_schedule, read_schedule
from billing.fees.tables import FeeCap
from billing.money import Money
from billing.vault import Vault
from service.commands import caps
from service.database import EVERYTHING, Database
from tests.factories.collecting import PAID_AT
from tests.factories.rounds import make_billing_school

WATER = {
    "item": "NUOCUONG", "levels": ["primary"], "zones": ["ward"], "unit": "month", "amount": 10_000, "basis": "NQX",
    "valid_from": "2025-11-01",
}  # fmt: skip


def write(folder: Path, **change: object) -> Path:
    file = {
        "title": "Mức trần ví dụ",
        "sources": [{"code": "NQX", "text": "Nghị quyết ví dụ"}],
        "caps": [{**WATER, **change}],
    }
    path = folder / "tran.json"
    path.write_text(json.dumps(file), encoding="utf-8")
    return path


def run(path: Path, *, check: bool = False) -> int:
    return caps.run(Namespace(file=path, province=None, check=check))


@pytest.fixture
def opened(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    @contextmanager
    def wiring(*_: object, **__: object) -> Iterator[Namespace]:
        yield Namespace(database=database, clock=lambda: PAID_AT)

    monkeypatch.setattr(caps, "open_wiring", wiring)
    monkeypatch.setattr(caps, "read_settings", lambda: None)
    return database


def test_a_file_is_read_without_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write(tmp_path), check=True) == 0
    assert "1 mức trần" in capsys.readouterr().out
    assert run(write(tmp_path, amount="nhiều"), check=True) == 2
    assert "caps[1]" in capsys.readouterr().err
    empty = tmp_path / "khong.json"
    empty.write_text('{"title": "Không có gì"}', encoding="utf-8")
    assert run(empty) == 2


def test_a_loaded_cap_binds_and_a_second_one_beside_it_is_refused(
    opened: Database, tmp_path: Path, vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault)
        before = len(session.exec(select(FeeCap)).all())
    assert [run(write(tmp_path)), run(write(tmp_path))] == [0, 0]
    assert "đã nạp 0 mức trần mới" in capsys.readouterr().out
    with opened.transaction(EVERYTHING) as session:
        assert len(session.exec(select(FeeCap)).all()) == before + 1
        november = NewPrice(Money(10_001), valid_from=PAID_AT.date().replace(month=11, day=1))
        with pytest.raises(OverCap, match="Nghị quyết ví dụ"):
            add_price(session, billing.school, "NUOCUONG", november, billing.accountant, PAID_AT)
    assert run(write(tmp_path, amount=9_000)) == 1, "on the same day"
    assert "hai mức trần" in capsys.readouterr().err
    assert run(write(tmp_path, amount=9_000, valid_from="2025-10-01")) == 1, "without an end, before one that is there"
    assert "valid_to" in capsys.readouterr().err


def test_the_next_resolution_ends_the_one_without_an_end_and_says_so(
    opened: Database, tmp_path: Path, vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    """Water may cost 12.000 đ until December and 9.000 đ from January on, as the council lowers it."""
    with opened.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault)
    assert run(write(tmp_path, amount=12_000)) == 0
    assert "Mức trần cũ" not in capsys.readouterr().out
    assert run(write(tmp_path, amount=9_000, valid_from="2026-01-01")) == 0
    said = capsys.readouterr().out
    assert (
        "Mức trần cũ của NUOCUONG, cấp tiểu học (ward): 12.000 đ/tháng (Nghị quyết ví dụ) kết thúc ngày 31/12/2025;"
        " từ 01/01/2026 là 9.000 đ." in said
    )
    for again in (write(tmp_path, amount=12_000), write(tmp_path, amount=9_000, valid_from="2026-01-01")):
        assert run(again) == 0
        assert "đã nạp 0 mức trần mới" in capsys.readouterr().out
    with opened.transaction(EVERYTHING) as session:
        rows = session.exec(select(FeeCap).where(FeeCap.item_code == "NUOCUONG").order_by(col(FeeCap.valid_from))).all()
        assert [(row.amount.dong, row.valid_from, row.valid_to) for row in rows] == [
            (12_000, date(2025, 11, 1), date(2025, 12, 31)),
            (9_000, date(2026, 1, 1), None),
        ]
        deeds = session.exec(select(AuditEntry).where(AuditEntry.action == "fees.take_caps")).all()
        assert {(deed.school_id, deed.reason) for deed in deeds} == {(billing.id, "Nghị quyết ví dụ")}
        assert len(deeds) == 2, "nothing was done the second time"
        details = session.get_one(AuditDetail, deeds[-1].id).details
        assert [(each["amount"], each["to"]) for each in details["ended"]] == [(12_000, "2025-12-31")]


def test_a_round_over_both_judges_each_month_by_the_cap_of_its_day(
    opened: Database, tmp_path: Path, vault: Vault
) -> None:
    """The year's price of 10.000 đ was in order; once the council lowers the cap from January on, only December is."""
    with opened.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault)
    assert run(write(tmp_path, amount=12_000)) == 0
    assert run(write(tmp_path, amount=9_000, valid_from="2026-01-01")) == 0
    december, january = date(2025, 12, 1), date(2026, 1, 31)
    with opened.transaction(EVERYTHING) as session:

        def judged(days: Span) -> set[int]:
            verdicts = judge_schedule(session, billing.school, read_schedule(session, billing.school, days), days)
            return {each.cap.max_amount.dong for each in verdicts if each.item.code == "NUOCUONG" and each.cap}

        assert judged(Span(december, date(2025, 12, 31))) == {12_000}
        with pytest.raises(OverCap, match=r"vượt mức trần 9\.000 đ theo Nghị quyết ví dụ từ 01/01/2026"):
            judged(Span(december, january))
        price = NewPrice(Money(9_000), date(2026, 1, 1))
        add_price(session, billing.school, "NUOCUONG", price, billing.accountant, PAID_AT)
        assert judged(Span(december, january)) == {12_000, 9_000}


def test_the_database_refuses_two_caps_on_one_day(opened: Database, tmp_path: Path, vault: Vault) -> None:
    with opened.transaction(EVERYTHING) as session:
        make_billing_school(session, vault)
    assert run(write(tmp_path)) == 0
    with opened.transaction(EVERYTHING) as session:
        [row] = session.exec(select(FeeCap).where(FeeCap.item_code == "NUOCUONG")).all()
        beside = row.model_dump(exclude={"id", "valid_from", "amount"})
        with pytest.raises(IntegrityError, match="two caps hold on the same day"), session.begin_nested():
            session.exec(insert(FeeCap).values(**beside, amount=Money(1), valid_from=date(2025, 12, 1)))


def test_a_provinces_own_share_of_insurance_is_loaded_once_and_goes_before_the_national_one(
    opened: Database, tmp_path: Path, vault: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {
        "base_wage": 2_340_000, "rate_permille": 45, "state_percent": 50, "basis": "L", "province_percent": 20,
        "province_basis": "Nghị quyết thử", "valid_from": "2026-01-01", "valid_to": "2026-03-31",
    }  # fmt: skip
    path = tmp_path / "bhyt.json"

    def load(**change: object) -> int:
        file = {"title": "BHYT", "sources": [{"code": "L", "text": "Luật BHYT"}], "insurance": [{**own, **change}]}
        path.write_text(json.dumps(file), encoding="utf-8")
        return run(path)

    with opened.transaction(EVERYTHING) as session:
        province = make_billing_school(session, vault).school.province_id
    assert [load(), load()] == [0, 0]
    assert "1 bộ tham số BHYT" in capsys.readouterr().out
    assert load(valid_from="2026-03-01", valid_to="2026-04-30") == 1
    assert "chồng ngày" in capsys.readouterr().err
    assert load(province_basis="") == 2
    assert load(valid_from="2026-05-02") == 2
    with opened.transaction(EVERYTHING) as session:
        rules = read_insurance_rules(session, province)
        shares = [rule_on(rules, date(2026, month, 1)).province_percent for month in (3, 4)]
    assert shares == [20, 0]
