"""A signature holds for one body, one time, one delivery and one secret."""

import hashlib
import hmac
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.happenings import LONGEST_WAIT_S, wait_s
from accounts.domain.signing import is_signed, new_secret, signature

GOOD: dict[str, Any] = {"timestamp": 1_800_000_000, "delivery": "a delivery", "body": b'{"x": 1}'}


def test_it_is_the_hmac_that_others_compute():
    signed = b'v1.1800000000.a delivery.{"x": 1}'
    right = "v1=" + hmac.new(b"a secret", signed, hashlib.sha256).hexdigest()

    assert signature("a secret", **GOOD) == right
    assert is_signed(right, "a secret", **GOOD)


def test_it_does_not_hold_for_anything_else():
    right = signature("a secret", **GOOD)

    assert not is_signed(right, "another secret", **GOOD)
    for name, value in {"timestamp": 1_800_000_001, "delivery": "b", "body": b'{"x":1}'}.items():
        assert not is_signed(right, "a secret", **{**GOOD, name: value})


@given(st.text())
def test_nonsense_is_no_signature(text):
    assert not is_signed(text, "a secret", **GOOD)


def test_secrets_are_long_and_never_the_same():
    assert len({new_secret() for _ in range(100)}) == 100
    assert len(new_secret()) >= 43


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_wait_grows_to_an_hour_and_is_spread(failures, luck):
    waited = wait_s(failures, luck)

    assert 2.5 <= waited <= LONGEST_WAIT_S
    assert wait_s(failures, 0.0) * 2 == wait_s(failures, 1.0)
    assert waited <= wait_s(failures + 1, luck)
