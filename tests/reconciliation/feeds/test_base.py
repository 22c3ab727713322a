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
    told = headers.get(name.lower(), "").strip()
    for given_as in (dict(headers), RawHeaders(headers)):
        if told:
            assert header(given_as, name) == told
        else:
            with pytest.raises(SignatureMissing, match=f"tiêu đề {name}"):
                header(given_as, name)


def test_a_name_in_two_spellings_is_refused() -> None:
    with pytest.raises(SignatureMissing, match="nhiều hơn một"):
        header({"X-Signature": "one", "x-signature": "two"}, "X-Signature")
