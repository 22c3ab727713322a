"""What holds for every provider and scheme: secrets in rotation, pinned schemes, and no bytes that break anything."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.errors import CallbackRefused, CallbackUnreadable, SignatureWrong
from reconciliation.feeds.base import MAX_BODY_BYTES
from reconciliation.feeds.providers import FEEDS
from reconciliation.feeds.signing import MAX_AGE
from tests.reconciliation.feeds.samples import SAMPLES, STRANGE, Sample, with_one_value_changed

every = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.provider}-{sample.scheme}")


def believed_at(sample: Sample) -> datetime:
    """Return a moment at which the sample's signature is not too old."""
    return sample.feed().signed_at(sample.body, sample.headers) or datetime(2026, 1, 1, tzinfo=UTC)


def test_every_scheme_of_every_provider_has_a_sample() -> None:
    schemes = {(provider, scheme) for provider, feed in FEEDS.items() for scheme in feed.schemes}
    assert {(sample.provider, sample.scheme) for sample in SAMPLES} == schemes


@every
def test_it_is_believed_read_and_answered(sample: Sample) -> None:
    feed = sample.feed()
    feed.verify(sample.body, sample.headers, believed_at(sample))
    feed.verify(sample.body, {name.upper(): value for name, value in sample.headers.items()}, believed_at(sample))

    assert {transfer.provider for transfer in feed.read(sample.body)} == {sample.provider}
    assert feed.accepted(sample.body).status == 200
    assert feed.refused.status >= 400


@every
def test_its_scheme_is_found_by_hand(sample: Sample) -> None:
    found = FEEDS[sample.provider].scheme_of(sample.headers, sample.body)
    assert (found == sample.scheme) is sample.found


@every
def test_a_scheme_that_is_not_the_providers_and_secrets_too_many_or_none_are_refused(sample: Sample) -> None:
    feed = FEEDS[sample.provider]
    for scheme, secrets in [
        ("none", [sample.secret]),
        (sample.scheme, []),
        (sample.scheme, [""]),
        (sample.scheme, [sample.secret] * 3),
    ]:
        with pytest.raises(ValueError, match=r"ký theo|cần một bí mật"):
            feed(scheme, secrets)


@every
def test_one_byte_more_is_noticed_where_the_bytes_are_signed(sample: Sample) -> None:
    if sample.whole:
        with pytest.raises(CallbackRefused):
            sample.feed().signed_at(sample.body + b"1", sample.headers)


@pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if sample.whole],
    ids=lambda sample: f"{sample.provider}-{sample.scheme}",
)
@given(data=st.data())
def test_any_flipped_byte_of_a_signed_body_is_refused(sample: Sample, data: st.DataObject) -> None:
    touched = bytearray(sample.body)
    touched[data.draw(st.integers(0, len(touched) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CallbackRefused):
        sample.feed().verify(bytes(touched), sample.headers, believed_at(sample))


@every
def test_without_its_signature_it_is_refused(sample: Sample) -> None:
    with pytest.raises(CallbackRefused):
        sample.feed().verify(b"{}", {}, datetime(2026, 1, 1, tzinfo=UTC))


@every
def test_too_long_and_too_deep_is_refused_for_good(sample: Sample) -> None:
    for body in (b" " * MAX_BODY_BYTES + sample.body, b'{"a":' * 30 + b"1" + b"}" * 30, b"[" * 30_000, b""):
        with pytest.raises(CallbackUnreadable):
            sample.feed().read(body)


@every
@given(body=st.binary(max_size=100) | STRANGE.map(lambda value: json.dumps(value).encode()))
def test_no_body_breaks_anything(sample: Sample, body: bytes) -> None:
    feed = sample.feed()
    for step in (lambda: feed.signed_at(body, sample.headers), lambda: feed.read(body)):
        with suppress(CallbackRefused):
            step()
    assert feed.accepted(body).body


@every
@given(data=st.data())
def test_no_value_of_a_field_breaks_anything(sample: Sample, data: st.DataObject) -> None:
    """Put anything in the place of any value of the believed message, however deep it stands."""
    body = with_one_value_changed(sample.body, data)
    feed = sample.feed()
    for step in (lambda: feed.signed_at(body, sample.headers), lambda: feed.read(body)):
        with suppress(CallbackRefused):
            step()
    assert feed.accepted(body).body


@every
@given(value=st.text(max_size=60))
def test_no_header_breaks_anything(sample: Sample, value: str) -> None:
    for name in sample.headers:
        headers = {**sample.headers, name: value}
        with suppress(CallbackRefused):
            sample.feed().verify(sample.body, headers, believed_at(sample))
        assert sample.feed().accepted(sample.body).body


@every
def test_both_secrets_work_while_one_is_being_changed(sample: Sample) -> None:
    at = believed_at(sample)
    sample.feed(sample.other_secret, sample.secret).verify(sample.body, sample.headers, at)
    sample.feed(sample.secret, sample.other_secret).verify(sample.body, sample.headers, at)
    with pytest.raises(SignatureWrong):
        sample.feed(sample.other_secret).verify(sample.body, sample.headers, at)


@every
def test_a_provider_that_never_logs_in_is_given_nothing(sample: Sample) -> None:
    feed = sample.feed()
    if feed.log_in_path is None:
        assert feed.log_in(sample.headers, believed_at(sample)) == feed.refused


def test_an_old_signature_is_old_for_every_provider_that_dates_its_own() -> None:
    dated = [sample for sample in SAMPLES if sample.feed().signed_at(sample.body, sample.headers) is not None]
    assert {(sample.provider, sample.scheme) for sample in dated} == {
        ("sepay", "hmac"),
        ("casso", "v2"),
        ("vietqrvn", "token"),
    }
    for sample in dated:
        with pytest.raises(CallbackRefused, match="quá hạn"):
            sample.feed().verify(sample.body, sample.headers, believed_at(sample) + MAX_AGE * 2)
