"""A header is found, or refused, alike whether it is looked up or searched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.errors import SignatureMissing
from reconciliation.feeds.base import RawHeaders, header

NAMES = st.sampled_from(["x-signature", "x-timestamp", "authorization"])
VALUES = st.sampled_from(["", "  ", "one", " two ", "one, two"])


@given(st.dictionaries(NAMES, VALUES), st.sampled_from(["X-Signature", "x-timestamp", "AUTHORIZATION"]))
def test_looked_up_is_as_searched(headers: dict[str, str], name: str) -> None:
    try:
        found = header(dict(headers), name)
    except SignatureMissing as refused:
        with pytest.raises(SignatureMissing, match=f"^{name}$|tiêu đề {name}"):
            header(RawHeaders(headers), name)
        assert refused.message
    else:
        assert header(RawHeaders(headers), name) == found == headers[name.lower()].strip()


def test_a_name_in_two_spellings_is_refused() -> None:
    with pytest.raises(SignatureMissing, match="nhiều hơn một"):
        header({"X-Signature": "one", "x-signature": "two"}, "X-Signature")
