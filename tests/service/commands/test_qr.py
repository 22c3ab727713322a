"""Tests of the door `qr`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from service.__main__ import main

PAYLOAD = (
    "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA"
    "530370454061800005802VN62230819thanh toan don hang63045FAB"
)
ARGUMENTS = ["--bin", "970403", "--account", "0011012345678"]
FULL = [*ARGUMENTS, "--amount", "180000", "--memo", "thanh toán đơn hàng"]
Capture = pytest.CaptureFixture[str]


def told(capsys: Capture, code: int, words: list[str]) -> str:
    """The one line of complaint of a call that must leave with this code."""
    assert main(["qr", *words]) == code
    answer = capsys.readouterr()
    assert answer.out == ""
    [line] = answer.err.splitlines()
    assert len(line) <= 501
    return line


def printed(capsys: Capture, words: list[str]) -> str:
    assert main(["qr", *words]) == 0
    answer = capsys.readouterr()
    assert answer.err == ""
    return answer.out.removesuffix("\n")


def test_flags_become_the_published_payload(capsys: Capture) -> None:
    assert printed(capsys, ["encode", *FULL]) == PAYLOAD


def test_a_payload_becomes_json(capsys: Capture) -> None:
    assert json.loads(printed(capsys, ["decode", PAYLOAD])) == {
        "initiation": "dynamic",
        "service": "QRIBFTTA",
        "bin": "970403",
        "account": "0011012345678",
        "amount": 180000,
        "memo": "thanh toan don hang",
    }


def test_nothing_given_is_null_and_static(capsys: Capture) -> None:
    payload = printed(capsys, ["encode", *ARGUMENTS, "--service", "QRIBFTTC"])
    document = json.loads(printed(capsys, ["decode", payload]))
    assert (document["initiation"], document["service"]) == ("static", "QRIBFTTC")
    assert (document["amount"], document["memo"]) == (None, None)


def test_static_with_an_amount_when_asked(capsys: Capture) -> None:
    payload = printed(capsys, ["encode", *FULL, "--static"])
    assert json.loads(printed(capsys, ["decode", payload]))["initiation"] == "static"


def test_what_decode_prints_encode_reads(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    document = printed(capsys, ["decode", PAYLOAD])
    monkeypatch.setattr("sys.stdin", io.StringIO(document))
    assert printed(capsys, ["encode", "--json", "-"]) == PAYLOAD


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "[]",
        "null",
        '{"bin": "970403"}',
        '{"bin": "970403", "account": "0011012345678", "amount": 1.5}',
        '{"bin": "970403", "account": "0011012345678", "amount": NaN}',
        '{"bin": "970403", "account": "0011012345678", "amount": "180000"}',
        '{"bin": "970403", "account": "0011012345678", "colour": "red"}',
        '{"bin": "970403", "bin": "970436", "account": "0011012345678"}',
        '{"bin": "970403", "account": "0011012345678", "amount": ' + "9" * 5000 + "}",
        '{"a":' * 100_000,
        '{"bin": "970403", "account": "0011012345678", "' + "x" * 1_000_000 + '": "y"}',
        '{"bin": "970403", "account": "0011012345678", "consumer_data": "' + "A" * 1_000_000 + '"}',
    ],
)
def test_unusable_json_is_told_on_one_line(document: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(document))
    assert told(capsys, 2, ["encode", "--json", "-"])


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["gone"],
        ["encode"],
        ["encode", "--bin", "970403"],
        ["encode", "--bin", "97", "--account", "0011012345678"],
        ["encode", "--bin", "970403", "--account", "1" * 25],
        ["encode", *ARGUMENTS, "--memo", "x" * 26],
        ["encode", *ARGUMENTS, "--memo", ""],
        ["encode", *ARGUMENTS, "--memo", "😀"],
        ["encode", *ARGUMENTS, "--amount", "0"],
        ["encode", *ARGUMENTS, "--amount", "-5"],
        ["encode", *ARGUMENTS, "--amount", "50 000"],
        ["encode", *ARGUMENTS, "--amount", "1e5"],
        ["encode", *ARGUMENTS, "--amount", "5" * 14],
        ["encode", *ARGUMENTS, "--service", "QRPUSH"],
        ["encode", *ARGUMENTS, "--json", "-"],
        ["encode", "--json", "-", "--static"],
        ["encode", "--json", "file.json"],
        ["encode", "--ba", "970403"],
        ["decode"],
        ["image", PAYLOAD],
    ],
)
def test_unusable_arguments_are_told_on_one_line(words: list[str], capsys: Capture) -> None:
    assert told(capsys, 2, words)


@pytest.mark.parametrize(
    "payload", ["", "hello", PAYLOAD[:-1] + "C", PAYLOAD.replace("180000", "190000"), "\x00", "\ud800", "x" * 1_000_000]
)
def test_a_wrong_payload_is_a_no(payload: str, capsys: Capture, tmp_path: Path) -> None:
    assert told(capsys, 1, ["decode", payload])
    assert told(capsys, 1, ["image", payload, "--out", str(tmp_path / "code.png")])
    assert not (tmp_path / "code.png").exists()


def test_the_reason_is_named(capsys: Capture) -> None:
    assert "CRC" in told(capsys, 1, ["decode", PAYLOAD.replace("180000", "190000")])


@pytest.mark.parametrize("name", ["code.png", "CODE.PNG"])
def test_a_png_is_drawn(name: str, capsys: Capture, tmp_path: Path) -> None:
    assert printed(capsys, ["image", PAYLOAD, "--out", str(tmp_path / name)]) == ""
    with Image.open(tmp_path / name) as picture:
        assert picture.width >= 600
        assert [code.text for code in zxingcpp.read_barcodes(picture.convert("L"))] == [PAYLOAD]


def test_an_svg_is_drawn(capsys: Capture, tmp_path: Path) -> None:
    assert printed(capsys, ["image", PAYLOAD, "--out", str(tmp_path / "code.svg")]) == ""
    assert (tmp_path / "code.svg").read_text(encoding="utf-8").startswith("<svg ")


@pytest.mark.parametrize("name", ["code.gif", "code", "missing/code.png", "\x00.png", "."])
def test_a_file_that_cannot_be_written_is_told(name: str, capsys: Capture, tmp_path: Path) -> None:
    assert told(capsys, 2, ["image", PAYLOAD, "--out", f"{tmp_path}/{name}"])


def test_a_folder_is_no_file(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    assert told(capsys, 2, ["image", PAYLOAD, "--out", str(tmp_path / "folder.png")])
