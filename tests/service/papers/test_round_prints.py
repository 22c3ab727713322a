"""The names of the files in a print of all classes."""

from __future__ import annotations

import pytest

from service.papers.round_prints import file_of


@pytest.mark.parametrize(
    ("code", "name"), [("1A", "1A.pdf"), ("1/2", "1-2.pdf"), ("../x", "..-x.pdf"), ("Lá 1", "Lá 1.pdf")]
)
def test_a_class_is_a_file_and_never_a_folder(code: str, name: str) -> None:
    assert file_of(code) == name
