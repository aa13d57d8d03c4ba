"""F59: without the keys of its database an installation does not start, and makes no new ones."""

from dataclasses import replace

import pytest

from accounts.domain.envelope import BadKeyRing, KeyRing
from accounts.fields import key_ring, write_key_ring
from accounts.models import Account, BrokerLogin
from accounts.services.keys import check_keys, make_first_keys
from tests.support.make import make_account, make_login, make_token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _an_installation(settings, tmp_path) -> None:
    settings.KEY_FILE = tmp_path / "keys.json"
    write_key_ring(KeyRing.fresh())
    login = make_login()
    make_token(login)
    make_account(login)


def test_the_right_keys_pass():
    check_keys()


def test_no_new_keys_are_made_for_secrets_that_exist(settings):
    settings.KEY_FILE.unlink()

    with pytest.raises(
        BadKeyRing, match="is missing, but the database holds secrets sealed with k1"
    ):
        make_first_keys()

    assert not settings.KEY_FILE.exists()


def test_a_key_that_is_not_in_the_file_is_named():
    write_key_ring(key_ring().with_new_key().without("k1"))

    with pytest.raises(BadKeyRing, match="does not hold the key k1"):
        check_keys()


def test_another_key_of_the_same_name_is_noticed():
    write_key_ring(KeyRing.fresh())

    with pytest.raises(BadKeyRing, match="does not hold the key k1"):
        check_keys()


def test_another_index_key_is_noticed():
    write_key_ring(replace(key_ring(), index_key=KeyRing.fresh().index_key))

    with pytest.raises(BadKeyRing, match="index key"):
        check_keys()


def test_an_empty_installation_gets_its_keys(settings):

    Account.objects.all().delete()
    BrokerLogin.objects.all().delete()
    settings.KEY_FILE.unlink()

    assert make_first_keys()
    check_keys()
