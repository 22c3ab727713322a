"""The door ``rates``: a province's file is checked against the frame, then loaded once."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from billing.fees.support_tables import CouncilRateRow
from service.commands import rates
from service.database import EVERYTHING, Database
from tests.factories.claims import EVERY_LEVEL, INVENTED
from tests.factories.schools import make_authority


def write(folder: Path, change: dict[str, Any] | None = None) -> Path:
    file = json.loads(json.dumps(INVENTED))
    file["rates"][0].update(change or {})
    path = folder / "muc.json"
    path.write_text(json.dumps(file), encoding="utf-8")
    return path


def run(path: Path, *, province: str | None = None, check: bool = False) -> int:
    return rates.run(Namespace(file=path, province=province, check=check))


@pytest.fixture
def opened(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    @contextmanager
    def wiring(*_: object, **__: object) -> Iterator[Namespace]:
        yield Namespace(database=database)

    monkeypatch.setattr(rates, "open_wiring", wiring)
    monkeypatch.setattr(rates, "read_settings", lambda: None)
    return database


def test_a_file_is_checked_without_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(write(tmp_path), check=True) == 0
    assert "đều trong khung học phí" in capsys.readouterr().out


def test_a_rate_above_the_frame_and_an_unreadable_file_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(write(tmp_path, {"amount": 700_000}), check=True) == 1
    assert "vượt trần" in capsys.readouterr().err
    assert run(write(tmp_path, {"amount": "nhiều"}), check=True) == 2
    assert "rates[1]" in capsys.readouterr().err


def test_loading_twice_adds_nothing(opened: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opened.transaction(EVERYTHING) as session:
        make_authority(session)
    path = write(tmp_path)
    assert [run(path), run(path)] == [0, 0]
    told = capsys.readouterr().out
    assert f"đã nạp {2 * len(EVERY_LEVEL)} mức mới" in told
    assert "đã nạp 0 mức mới" in told
    with opened.transaction(EVERYTHING) as session:
        assert len(session.exec(select(CouncilRateRow)).all()) == 2 * len(EVERY_LEVEL)


def test_of_two_provinces_one_must_be_named(
    opened: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened.transaction(EVERYTHING) as session:
        first = make_authority(session)
        make_authority(session)
        code = first.code
    assert run(write(tmp_path)) == 1
    assert code in capsys.readouterr().err
    assert run(write(tmp_path), province=code) == 0
