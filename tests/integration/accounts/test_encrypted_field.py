"""An encrypted column keeps, hides and defends what is put into it."""

import copy
import json
import pickle

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import BinaryField, Q, TextField, Value

from accounts.domain.envelope import BadKeyRing, CannotOpen, KeyRing
from accounts.fields import key_ring, seal_for, write_key_ring
from accounts.models import Account, BrokerLogin, Token
from tests.support.make import make_account, make_login, make_token

pytestmark = pytest.mark.django_db


def column(model, field: str, pk):
    """What the database really holds."""
    row = model.objects.filter(pk=pk).values_list(field, flat=True)
    return bytes(row.get())


def write(model, field: str, pk, value) -> None:
    """Write into the column behind the field's back."""
    changed = Value(value, output_field=BinaryField() if isinstance(value, bytes) else TextField())
    assert model.objects.filter(pk=pk).update(**{field: changed}) == 1


@pytest.mark.parametrize("plain", ["secret", "", "0", "ünï 🔑", "x" * 5000, "\x01\x02k1"])
def test_a_secret_comes_back_as_it_was_put_in(plain):
    login = make_login(app_secret=plain)

    assert BrokerLogin.objects.get(pk=login.pk).app_secret.open() == plain


def test_the_database_holds_no_plain_text():
    login = make_login(app_secret="PLAIN-SECRET")

    assert b"PLAIN" not in column(BrokerLogin, "app_secret", login.pk)


def test_an_empty_field_stays_empty_and_can_be_looked_for():
    with_password = make_login(password="secret")
    without = make_login()

    assert BrokerLogin.objects.get(pk=without.pk).password is None
    assert BrokerLogin.objects.get(password__isnull=False) == with_password


def test_a_secret_can_be_replaced_and_removed():
    login = make_login(password="first")

    for value in ("second", None):
        login.password = value
        login.save()
        found = BrokerLogin.objects.get(pk=login.pk).password
        assert (found.open() if found else found) == value


def test_saving_an_unchanged_row_keeps_its_envelope():
    login = make_login()
    before = column(BrokerLogin, "app_key", login.pk)

    BrokerLogin.objects.get(pk=login.pk).save()

    assert column(BrokerLogin, "app_key", login.pk) == before


def test_a_deferred_secret_is_read_when_it_is_needed():
    login = make_login(app_secret="secret")

    for rows in (BrokerLogin.objects.only("label"), BrokerLogin.objects.defer("app_secret")):
        found = rows.get(pk=login.pk)
        assert found.app_secret.open() == "secret"


def test_saving_a_row_whose_secret_is_deferred_keeps_it():
    login = make_login(app_secret="secret")

    found = BrokerLogin.objects.only("label").get(pk=login.pk)
    found.label = "Another label"
    found.save()

    assert BrokerLogin.objects.get(label="Another label").app_secret.open() == "secret"


def test_rows_made_in_bulk_are_sealed_each_for_itself():
    first, second = make_login(), make_login()
    Token.objects.bulk_create(
        Token(
            login=login,
            access=f"access {login.label}",
            refresh="same",
            access_expires_at=login.created_at,
            refresh_expires_at=login.created_at,
        )
        for login in (first, second)
    )

    for login in (first, second):
        assert Token.objects.get(login=login).access.open() == f"access {login.label}"
    assert Token.objects.values("refresh").distinct().count() == 2


def test_an_update_takes_what_was_sealed_for_its_row():
    token = make_token()
    sealed = seal_for(Token, "access", token.pk, "fresh")

    Token.objects.filter(pk=token.pk).update(access=sealed)

    assert Token.objects.get(pk=token.pk).access.open() == "fresh"


@pytest.mark.parametrize(
    "value", ["plain", b"plain", b"", b"\x01", 7, pytest.param(object(), id="an object")], ids=repr
)
def test_an_update_with_anything_else_is_refused(value):
    token = make_token()

    with pytest.raises(FieldError, match="access is encrypted: seal the value"):
        Token.objects.filter(pk=token.pk).update(access=value)


def test_a_bulk_update_is_refused():
    token = make_token()
    token.access = "plain"

    with pytest.raises(FieldError, match="seal the value"):
        Token.objects.bulk_update([token], ["access"])


@pytest.mark.parametrize(
    "wish",
    [
        Q(access="x"),
        Q(access=None),
        Q(access__in=["x"]),
        Q(access__contains="x"),
        Q(access__startswith=b"x"),
        Q(access__gt="x"),
        Q(login__app_key="x"),
    ],
    ids=str,
)
def test_look_ups_by_value_are_refused(wish):
    with pytest.raises(FieldError, match="is encrypted and cannot be looked up by"):
        Token.objects.filter(wish).exists()


def test_equal_values_are_found_by_their_blind_index():
    account = make_account(number="12345678")
    make_account()

    index = key_ring().blind_index("12345678", column="number")

    assert Account.objects.get(number_index=index) == account


def test_a_value_copied_to_another_row_does_not_open():
    thief, victim = make_token(), make_token()
    write(Token, "access", thief.pk, column(Token, "access", victim.pk))

    with pytest.raises(CannotOpen, match="does not belong there"):
        Token.objects.get(pk=thief.pk).access.open()


def test_a_value_copied_to_another_column_does_not_open():
    token = make_token()
    write(Token, "access", token.pk, column(Token, "refresh", token.pk))

    with pytest.raises(CannotOpen, match="does not belong there"):
        Token.objects.get(pk=token.pk).access.open()


def test_a_value_under_a_key_that_is_not_ours_does_not_open():
    token = make_token()
    foreign = KeyRing.fresh().with_new_key()
    place = f"accounts_token|{token.pk}|access"
    write(Token, "access", token.pk, foreign.seal("x", place=place))

    with pytest.raises(CannotOpen, match="Key k2 is not in the key file"):
        Token.objects.get(pk=token.pk).access.open()


def test_plain_bytes_in_the_column_do_not_open():
    token = make_token()
    write(Token, "access", token.pk, b"plain text")

    with pytest.raises(CannotOpen, match="not an envelope"):
        Token.objects.get(pk=token.pk).access.open()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps no text in a bytea")
def test_plain_text_in_the_column_does_not_pass_for_a_secret():
    token = make_token()
    write(Token, "access", token.pk, "plain text")

    for rows in (Token.objects.all(), Token.objects.defer("access")):
        with pytest.raises(CannotOpen, match="not an envelope"):
            rows.get(pk=token.pk).access.open()


@pytest.mark.parametrize(
    "show", [repr, str, "{}".format, "{:>40}".format, "%s".__mod__, "%r".__mod__]
)
def test_a_secret_shows_only_stars(show):
    fresh = make_login(app_secret="PLAIN").app_secret
    read = BrokerLogin.objects.get().app_secret

    for secret in (fresh, read):
        assert show(secret).strip() == "***"


@pytest.mark.parametrize(
    "leak",
    [
        json.dumps,
        DjangoJSONEncoder().encode,
        pickle.dumps,
        copy.deepcopy,
    ],
)
def test_a_secret_is_neither_serialized_nor_copied(leak):
    with pytest.raises(TypeError):
        leak(make_login().app_secret)


def test_a_row_with_secrets_is_not_serialized():
    with pytest.raises(FieldError, match="is not serialized"):
        serializers.serialize("json", [make_login()])


def test_a_missing_key_file_says_what_to_do(settings, tmp_path):
    login = make_login()
    settings.KEY_FILE = tmp_path / "keys.json"

    with pytest.raises(BadKeyRing, match=r"keys\.json .* is missing.*make_keys"):
        BrokerLogin.objects.get(pk=login.pk).app_key.open()


@pytest.mark.parametrize("content", [b"{}", b"\xff\xfe", b""])
def test_a_broken_key_file_says_what_to_do(settings, tmp_path, content):
    settings.KEY_FILE = tmp_path / "keys.json"
    settings.KEY_FILE.write_bytes(content)

    with pytest.raises(BadKeyRing, match=r"(?i)restore it"):
        key_ring()


def test_a_key_file_that_is_replaced_is_noticed_at_once(settings, tmp_path):
    settings.KEY_FILE = tmp_path / "keys.json"
    ring = KeyRing.fresh()

    for _ in range(20):
        ring = ring.with_new_key()
        write_key_ring(ring)
        assert key_ring() == ring


def test_nobody_else_can_read_the_key_file(settings, tmp_path):
    settings.KEY_FILE = tmp_path / "deep" / "keys.json"

    write_key_ring(KeyRing.fresh())

    assert settings.KEY_FILE.stat().st_mode & 0o077 == 0
    assert settings.KEY_FILE.parent.stat().st_mode & 0o077 == 0
