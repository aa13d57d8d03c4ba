"""A new data key seals everything again, and the old one goes."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.domain.envelope import CannotOpen
from accounts.fields import key_ring, seal_for
from accounts.models import Account, Token
from accounts.services import keys
from tests.integration.accounts.rotating import make_everything, rotate, secrets_of
from tests.support.make import make_account

pytestmark = pytest.mark.usefixtures("fresh_keys")


@pytest.mark.django_db
def test_a_rotation_seals_everything_again_and_retires_the_old_key():
    login = make_everything("0001")
    before = secrets_of(login)

    said = rotate()

    assert secrets_of(login) == before == ["key 0001", "secret 0001", "access 0001", "12340001"]
    assert keys.count_by_key() == {"k2": 5}
    assert list(key_ring().keys) == ["k2"]
    assert "Key k2 seals from now on." in said
    assert "5 values sealed again, 0 were newer. Retired: k1. In use: k2 (5)." in said


@pytest.mark.django_db
def test_everything_can_be_read_and_written_before_during_and_after_a_rotation():
    old = make_everything("0001")

    keys.add_key()
    during = make_everything("0002")

    assert keys.count_by_key() == {"k1": 5, "k2": 5}
    assert secrets_of(old)[0] == "key 0001"
    assert keys.seal_again().sealed_again == 5
    assert secrets_of(old)[0] == "key 0001"
    assert secrets_of(during)[0] == "key 0002"


@pytest.mark.django_db
def test_a_rotation_that_was_interrupted_goes_on_under_the_same_key():
    login = make_everything("0001")
    keys.add_key()
    sealed = seal_for(Token, "access", login.token.pk, "access 0001")
    Token.objects.filter(login=login).update(access=sealed)

    said = rotate("--only-again")

    assert "4 values sealed again" in said
    assert "Retired: k1" in said
    assert list(key_ring().keys) == ["k2"]
    assert secrets_of(login)[2] == "access 0001"


@pytest.mark.django_db
def test_several_rotations_in_a_row_leave_one_key():
    login = make_everything("0001")

    for _ in range(3):
        rotate()

    assert list(key_ring().keys) == ["k4"]
    assert secrets_of(login)[0] == "key 0001"


@pytest.mark.django_db
def test_blind_indexes_outlive_a_rotation():
    account = make_account(number="12345678")

    rotate()

    index = key_ring().blind_index("12345678", column="number")
    assert Account.objects.get(number_index=index) == account


@pytest.mark.django_db
def test_a_value_that_does_not_open_stops_the_rotation_and_keeps_every_key():
    login, other = make_everything("0001"), make_everything("0002")
    stolen = Token.objects.filter(login=other).values_list("access", flat=True).get()
    Token.objects.filter(login=login).update(access=bytes(stolen))

    with pytest.raises(CommandError, match="does not belong there"):
        rotate()

    assert list(key_ring().keys) == ["k1", "k2"]
    assert secrets_of(other)[2] == "access 0002"


@pytest.mark.django_db
def test_keys_are_made_once(settings):
    assert not keys.make_first_keys()

    settings.KEY_FILE.unlink()
    call_command("make_keys", stdout=StringIO())
    ring = key_ring()

    with pytest.raises(CommandError, match="exists already"):
        call_command("make_keys", stdout=StringIO())
    assert key_ring() == ring


def test_a_rotation_without_a_key_file_says_so(settings):
    settings.KEY_FILE.unlink()

    with pytest.raises(CommandError, match="is missing"):
        rotate()


def test_a_dropped_key_opens_nothing_any_more():
    ring = key_ring()
    sealed = ring.seal("x", place="here")

    with pytest.raises(CannotOpen):
        ring.with_new_key().without("k1").open(sealed, place="here")
