"""Sealed values open only where they were put, and only with the key they name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.envelope import BadKeyRing, CannotOpen, KeyRing, key_id

RING = KeyRing.fresh()
PLACE = "accounts_token|1|access"


def written(**changes) -> str:
    return json.dumps({**json.loads(RING.dumps()), **changes})


@given(plain=st.text(), place=st.text(max_size=40))
def test_what_was_sealed_opens_at_its_place(plain, place):
    assert RING.open(RING.seal(plain, place=place), place=place) == plain


@pytest.mark.parametrize(
    "other",
    ["accounts_token|2|access", "accounts_token|1|refresh", "accounts_brokerlogin|1|access"],
)
def test_what_was_sealed_does_not_open_in_another_row_field_or_table(other):
    sealed = RING.seal("secret", place=PLACE)

    with pytest.raises(CannotOpen, match="does not belong there"):
        RING.open(sealed, place=other)


def test_what_was_sealed_does_not_open_under_the_name_of_another_key():
    both = RING.with_new_key()
    renamed = both.seal("secret", place=PLACE).replace(b"k2", b"k1", 1)

    with pytest.raises(CannotOpen):
        both.open(renamed, place=PLACE)


def test_what_was_sealed_does_not_open_without_its_key():
    sealed = RING.with_new_key().seal("secret", place=PLACE)

    with pytest.raises(CannotOpen, match="Key k2 is not in the key file"):
        RING.open(sealed, place=PLACE)


@given(st.data())
def test_a_changed_bit_anywhere_is_noticed(data):
    sealed = bytearray(RING.seal("secret", place=PLACE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(CannotOpen):
        RING.open(bytes(sealed), place=PLACE)


@given(st.binary(max_size=60))
def test_bytes_that_were_never_sealed_do_not_open(noise):
    with pytest.raises(CannotOpen):
        RING.open(noise, place=PLACE)


def test_the_same_secret_never_looks_the_same_twice():
    assert RING.seal("secret", place=PLACE) != RING.seal("secret", place=PLACE)


def test_an_envelope_names_its_key_and_hides_its_content():
    sealed = RING.seal("secret", place=PLACE)

    assert key_id(sealed) == "k1"
    assert b"secret" not in sealed


def test_a_ring_shows_no_key():
    shown = repr(RING) + str(RING)

    assert not any(str(key) in shown for key in [*RING.keys.values(), RING.index_key])
    assert "index_key" not in shown


def test_a_ring_is_read_as_it_was_written():
    ring = RING.with_new_key()

    assert KeyRing.loads(ring.dumps()) == ring


def test_a_new_key_seals_from_now_on_while_the_old_one_still_opens():
    ring = RING.with_new_key()

    assert key_id(ring.seal("new", place=PLACE)) == "k2"
    assert ring.open(RING.seal("old", place=PLACE), place=PLACE) == "old"
    assert ring.without("k1").keys.keys() == {"k2"}


def test_keys_with_other_names_get_a_successor_too():
    key = RING.keys["k1"]

    assert KeyRing("main", {"main": key}, RING.index_key).with_new_key().active == "k1"


def test_a_blind_index_finds_equal_values_of_one_column_only():
    index = RING.blind_index("12345678", column="number")

    assert index == RING.with_new_key().blind_index("12345678", column="number")
    assert index != RING.blind_index("12345679", column="number")
    assert index != RING.blind_index("12345678", column="app_key")
    assert index != KeyRing.fresh().blind_index("12345678", column="number")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "keys",
        "null",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": {}, "index_key": 1}',
        written(index_key=None),
        "[" * 100_000,
    ],
    ids=range(9),
)
def test_what_is_not_a_ring_is_refused(text):
    with pytest.raises(BadKeyRing, match="is not a key ring"):
        KeyRing.loads(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (written(active="k9"), "k9 as active but does not hold it"),
        (written(active=["k1"]), "as active but does not hold it"),
        (written(keys={"k1": "#"}), "does not have 32 bytes"),
        (written(keys={"k1": "c2hvcnQ="}), "does not have 32 bytes"),
        (written(index_key="c2hvcnQ="), "does not have 32 bytes"),
        (written(keys={"a very long name": "c2hvcnQ="}), "1 to 8 ASCII characters"),
        (written(keys={"": "c2hvcnQ="}), "1 to 8 ASCII characters"),
        (written(keys={"ключ": "c2hvcnQ="}), "1 to 8 ASCII characters"),
    ],
    ids=range(8),
)
def test_a_ring_that_cannot_work_says_why(text, words):
    with pytest.raises(BadKeyRing, match=words):
        KeyRing.loads(text)
