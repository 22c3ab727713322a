"""Files that are no roster at all: each refused as a whole, quickly, before anything is parsed that could hurt."""

from __future__ import annotations

import io
import random
import time
import zipfile
from collections.abc import Callable

import pytest

from billing.people import workbook
from tests.factories.rosters import problems, pupil, read, reason, repacked, sheet_file, with_shared_strings

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
)
FETCH = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet>&a;</worksheet>'


def in_part(part: str, content: bytes) -> Callable[[str, bytes], bytes]:
    """Return a change for ``repacked`` that replaces one part."""
    return lambda name, old: content if name == part else old


def with_member(name: str, content: bytes) -> bytes:
    """Return a good roster with one more part."""
    out = io.BytesIO(sheet_file([pupil()]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def zipped(*names: str) -> bytes:
    """Return a zip that is no workbook."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


def locked_zip() -> bytes:
    """Return a roster whose parts claim to be encrypted."""
    data = bytearray(sheet_file([pupil()]))
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        data[place + 8] |= 1
        place = data.find(b"PK\x01\x02", place + 4)
    return bytes(data)


OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "không phải Excel"),
        (b"STT,M\xc3\xa3 l\xe1\xbb\x9bp\n1,1A\n", "không phải Excel"),
        (b"%PDF-1.7", "không phải Excel"),
        (OLD_OFFICE + bytes(600), ".xls"),
        (OLD_OFFICE + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "mật khẩu"),
        (zipped("word/document.xml", "[Content_Types].xml"), "không phải Excel"),
        (zipped("a.txt"), "không phải Excel"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "bị hỏng"),
        (zipped(*(f"{n}" for n in range(1001))), "quá lớn"),
        (b"PK\x03\x04" + bytes(100), "bị hỏng"),
        (sheet_file([pupil()])[:-40], "bị hỏng"),
        (locked_zip(), "mật khẩu"),
        (with_member("xl/vbaProject.bin", b"x"), "macro"),
        (with_member("xl/media/image1.png", bytes(100_000_001)), "giải nén"),
        (b"PK\x03\x04" + bytes(10_000_000), "10 MB"),
        (repacked(sheet_file([pupil()]), in_part("xl/worksheets/sheet1.xml", BOMB)), "bị hỏng"),
        (repacked(sheet_file([pupil()]), in_part("xl/worksheets/sheet1.xml", FETCH)), "bị hỏng"),
        (repacked(with_shared_strings(sheet_file([pupil()])), in_part("xl/sharedStrings.xml", BOMB)), "bị hỏng"),
        (repacked(sheet_file([pupil()]), in_part("xl/workbook.xml", BOMB)), "bị hỏng"),
        (repacked(with_shared_strings(sheet_file([pupil()])), in_part("xl/sharedStrings.xml", b"<sst/>")), "bị hỏng"),
    ],
)
def test_hostile_or_mistaken_files_are_refused_in_plain_words(data: bytes, word: str) -> None:
    start = time.process_time()
    assert problems(data) == [(0, "Cả tệp")]
    assert word in reason(data)
    assert time.process_time() - start < 5


def test_limits_come_before_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("parsed before its limits were checked")

    monkeypatch.setattr(workbook, "load_workbook", never)
    for data in (with_member("xl/media/a.png", bytes(100_000_001)), b"PK\x03\x04" + bytes(10_000_000), locked_zip()):
        assert problems(data) == [(0, "Cả tệp")]


def test_a_declared_size_that_lies_cannot_unpack_more() -> None:
    bomb = with_member("xl/worksheets/more.xml", bytes(50_000_000))
    lying = bytearray(bomb)
    place = lying.rfind(b"PK\x01\x02")
    lying[place + 24 : place + 28] = (10).to_bytes(4, "little")
    with zipfile.ZipFile(io.BytesIO(bytes(lying))) as archive, pytest.raises(zipfile.BadZipFile):
        archive.read("xl/worksheets/more.xml")


def test_texts_in_a_table_of_their_own_are_read() -> None:
    data = sheet_file([pupil(1), pupil(2)], titles=2)
    assert read(with_shared_strings(data)) == read(data)


def test_a_line_out_of_this_world_is_not_walked_to() -> None:
    def far(name: str, part: bytes) -> bytes:
        return part.replace(b'<row r="2"', b'<row r="999999999999"') if name == "xl/worksheets/sheet1.xml" else part

    assert problems(repacked(sheet_file([pupil()]), far)) == [(0, "Cả tệp")]


def test_a_wrong_size_written_by_another_program_is_not_believed() -> None:
    def shrink(name: str, part: bytes) -> bytes:
        return part.replace(b'<dimension ref="A1:O3"', b'<dimension ref="A1"') if name.endswith("sheet1.xml") else part

    data = repacked(sheet_file([pupil(1), pupil(2)]), shrink)
    assert len(read(data)) == 2


def test_damaged_files_are_read_or_refused_and_nothing_else() -> None:
    good = sheet_file([pupil(n) for n in range(1, 4)])
    draw = random.Random(7)  # noqa: S311  a test's dice
    for _ in range(150):
        data = bytearray(good)
        for _ in range(draw.randrange(1, 6)):
            data[draw.randrange(4, len(data))] = draw.randrange(256)
        problems(bytes(data))  # BadRows or rows; any other exception fails the test
