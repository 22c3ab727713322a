"""Rows as lines of COPY: whatever stands in them arrives as it is."""

from collections.abc import Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from billing.loading import as_text, load_lines, load_temporary
from service.database import NOTHING, Database

COLUMNS = {"place": "int", "id": "uuid", "word": "text"}
Rows = Sequence[tuple[UUID | None, str | None]]


def arrived(database: Database, rows: Rows, *, in_lines: bool) -> list[tuple[UUID | None, str | None]]:
    """Return what stands in a temporary table that the rows were loaded into."""
    with database.transaction(NOTHING) as session:
        if in_lines:
            lines = (f"{place}\t{as_text(number)}\t{as_text(word)}\n" for place, (number, word) in enumerate(rows))
            load_lines(session, "loaded", COLUMNS, lines, joined_by=["id"])
        else:
            load_temporary(session, "loaded", COLUMNS, ((place, *row) for place, row in enumerate(rows)))
        return [tuple(row) for row in session.execute(text("SELECT id, word FROM pg_temp.loaded ORDER BY place"))]


def test_lines_arrive_as_rows_do(database: Database) -> None:
    words = st.none() | st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=12)

    @given(
        st.lists(st.tuples(st.none() | st.uuids(), words | st.sampled_from(["\\N", "\\.", "a\tb\\\r\n"])), max_size=5)
    )
    def arrive(rows: Rows) -> None:
        assert arrived(database, rows, in_lines=True) == arrived(database, rows, in_lines=False) == list(rows)

    arrive()
