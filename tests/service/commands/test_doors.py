"""Tests of the dispatcher: which doors there are, how they start, how they complain."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service import __main__ as entrance
from service.__main__ import DOORS, main
from service.settings import read_settings

SMALL = [
    ["words", "105000"],
    ["reference", "new"],
    ["reference", "find", "hp"],
    ["qr", "encode", "--bin", "970436", "--account", "0011004"],
]


def call(words: list[str], **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-m", "service", *words],
        capture_output=True,
        check=False,
        timeout=30,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("words", SMALL, ids=lambda words: words[0])
def test_small_doors_open_without_a_database(words: list[str]) -> None:
    nowhere = {"DATABASE_URL": "postgresql://nowhere.invalid/x", "REDIS_URL": "redis://nowhere.invalid"}
    answer = call(words, **nowhere)
    assert (answer.returncode, answer.stderr) == (0, b"")


@pytest.mark.parametrize("words", SMALL, ids=lambda words: words[0])
def test_small_doors_load_neither_web_nor_database(words: list[str]) -> None:
    program = (
        "import sys; from service.__main__ import main\n"
        f"assert main({words!r}) == 0\n"
        "heavy = {'sqlalchemy', 'sqlmodel', 'psycopg', 'fastapi', 'celery', 'PIL', 'qrcode'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=30)  # noqa: S603  our own program
    assert (answer.returncode, answer.stderr) == (0, b"")


def test_vietnamese_is_printed_whatever_the_terminal_claims() -> None:
    answer = call(["words", "105000"], PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert answer.stdout.decode() == "Một trăm linh năm nghìn đồng\n"


def test_bytes_that_are_no_text_are_told_on_one_line() -> None:
    answer = subprocess.run(  # noqa: S603  our own program
        [os.fsencode(sys.executable), b"-m", b"service", b"qr", b"decode", b"\xff\xfe"],
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (answer.returncode, answer.stdout) == (1, b"")
    assert answer.stderr.count(b"\n") == 1


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "service", "reference", "new", "200000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith(b"FW")
        running.stdout.close()
        assert b"Traceback" not in running.stderr.read()
        assert running.wait(timeout=30) == 1


def test_an_answer_that_cannot_be_written_is_no_answer() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123  a device
        answer = subprocess.run(
            [sys.executable, "-m", "service", "words", "5"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=30,
        )
    assert answer.returncode == 2
    assert answer.stderr.count(b"\n") == 1


def test_json_is_read_as_utf8_with_or_without_its_mark() -> None:
    document = '{"bin": "970436", "account": "0011004", "memo": "Học phí"}'
    for start in (b"", b"\xef\xbb\xbf"):
        answer = subprocess.run(
            [sys.executable, "-m", "service", "qr", "encode", "--json", "-"],
            input=start + document.encode(),
            capture_output=True,
            check=False,
            timeout=30,
            env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        )
        assert (answer.returncode, answer.stderr) == (0, b"")
        assert b"Hoc phi" in answer.stdout


@pytest.mark.parametrize("words", [[], ["nonsense"], ["--version"], ["Words", "5"], ["\x00"], ["../qr"], ["answers"]])
def test_an_unknown_door_is_told_on_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    [line] = answer.err.splitlines()
    assert "qr, reference, words" in line


def test_a_door_still_to_come_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(DOORS, "tomorrow", "chưa có")
    assert main(["tomorrow"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "'tomorrow'" in line
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert "tomorrow" not in listed
    assert "words" in listed


@pytest.mark.parametrize(
    ("door", "flag", "value"),
    [
        *[
            (door, "--port", value)
            for door in ("demo", "up", "web")
            for value in ("0", "-1", "65536", "x", "80.0", "٣")
        ],
        *[("demo", "--pupils", value) for value in ("0", "-5", "100001", "9" * 5000)],
        *[(door, "--processes", value) for door in ("up", "worker") for value in ("0", "65", "")],
    ],
)
def test_a_number_that_makes_no_sense_is_told_on_one_line(
    door: str, flag: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([door, f"{flag}={value}"]) == 2
    answer = capsys.readouterr()
    [line] = answer.err.splitlines()
    assert (answer.out, f"argument {flag}" in line, len(line) < 250) == ("", True, True)


@pytest.mark.parametrize("door", ["up", "invariants", "demo", "setup"])
def test_a_database_that_does_not_answer_is_told_on_one_line(
    door: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = {
        "DATABASE_URL": "postgresql://hocphi_app:rat-bi-mat@127.0.0.1:1/x",
        "DATABASE_OWNER_URL": "postgresql://chu:rat-bi-mat@127.0.0.1:1/x",
        "REDIS_URL": "redis://127.0.0.1:1",
        "HOCPHI_STATE": str(tmp_path),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    read_settings.cache_clear()
    assert main([door, *(["--once"] if door == "demo" else [])]) == 1
    read_settings.cache_clear()
    answer = capsys.readouterr()
    [line] = answer.err.splitlines()
    assert (answer.out, "127.0.0.1" in line, "rat-bi-mat" in line) == ("", True, False)


def test_every_door_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in entrance._existing():
        assert main([name, "--help"]) == 0
        assert DOORS[name] in " ".join(capsys.readouterr().out.split())
