"""The journal keeps whole lines, also after a kill in the middle of one."""

from __future__ import annotations

import threading
from pathlib import Path

from service.standins.journal import Journal


def test_what_was_written_is_there_after_a_new_start(tmp_path: Path) -> None:
    Journal(tmp_path / "a" / "j.jsonl").append({"name": "Điểu K'Rể\n"})
    assert list(Journal(tmp_path / "a" / "j.jsonl").entries()) == [{"name": "Điểu K'Rể\n"}]


def test_a_torn_line_harms_neither_its_neighbours_nor_the_next(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    Journal(path).append({"n": 1})
    with path.open("ab") as file:
        file.write(b'{"n": 2, "text": "\xc4')
    again = Journal(path)
    again.append({"n": 3})
    assert list(again.entries()) == [{"n": 1}, {"n": 3}]


def test_writers_side_by_side_do_not_mix_their_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")

    def write(writer: int) -> None:
        for number in range(50):
            journal.append({"writer": writer, "number": number, "pad": "x" * 5000})

    writers = [threading.Thread(target=write, args=(one,)) for one in range(4)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    got = [(entry["writer"], entry["number"]) for entry in journal.entries()]
    assert sorted(got) == [(writer, number) for writer in range(4) for number in range(50)]
