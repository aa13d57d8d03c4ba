"""Whatever is read or written while a data key is rotated, nothing is lost."""

import threading
import time
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from accounts.fields import key_ring, seal_for
from accounts.models import BrokerLogin, Token
from accounts.services import keys
from tests.integration.accounts.rotating import make_everything, secrets_of
from tests.support.make import make_token

pytestmark = pytest.mark.usefixtures("fresh_keys")


@pytest.mark.django_db
def test_a_writer_that_comes_between_reading_and_sealing_is_not_overwritten():
    token = make_token()
    late = seal_for(Token, "access", token.pk, "a newer access token")
    keys.add_key()

    def write_first(execute, sql, params, many, context):
        """Come in just before the first UPDATE of this column."""
        if sql.startswith("UPDATE") and '"access" =' in sql and not came:
            came.append(sql)
            Token.objects.filter(pk=token.pk).update(access=late)
        return execute(sql, params, many, context)

    came: list[str] = []
    with connection.execute_wrapper(write_first):
        rotation = keys.seal_again()

    assert rotation.passed_over == 1
    assert Token.objects.get(pk=token.pk).access.open() == "a newer access token"
    assert rotation.retired == ()
    assert keys.seal_again().retired == ("k1",)
    assert Token.objects.get(pk=token.pk).access.open() == "a newer access token"


@pytest.mark.django_db(transaction=True)
def test_a_writer_that_sealed_before_the_rotation_and_commits_after_it_loses_nothing():
    token = make_token()
    late = seal_for(Token, "access", token.pk, "sealed under the old key")
    keys.add_key()

    def write_late() -> None:
        Token.objects.filter(pk=token.pk).update(access=late)
        connections.close_all()

    writer = threading.Timer(0.15, write_late)
    writer.start()
    rotation = keys.seal_again(wait_s=0.6)
    writer.join()

    assert rotation.retired == ("k1",)
    assert Token.objects.get(pk=token.pk).access.open() == "sealed under the old key"


@pytest.mark.django_db(transaction=True)
def test_traffic_during_a_rotation_loses_nothing():
    tokens = [make_token() for _ in range(5)]
    written: dict[object, str] = {}
    over = threading.Event()

    def renew() -> None:
        number = 0
        while not over.is_set():
            token = tokens[number % 5]
            number += 1
            sealed = seal_for(Token, "access", token.pk, f"access {number}")
            Token.objects.filter(pk=token.pk).update(access=sealed, updated_at=timezone.now())
            written[token.pk] = f"access {number}"
            over.wait(0.03)
        connections.close_all()

    writer = threading.Thread(target=renew)
    writer.start()
    try:
        for _ in range(2):
            keys.add_key()
            keys.seal_again(wait_s=0.2)
    finally:
        over.set()
        writer.join()

    assert len(written) == 5
    assert {t.pk: t.access.open() for t in Token.objects.all()} == written
    assert list(key_ring().keys) == ["k3"]


@pytest.mark.django_db(transaction=True)
def test_who_has_just_read_a_late_value_can_still_open_it():
    token = make_token()
    late = seal_for(Token, "access", token.pk, "sealed under the old key")
    keys.add_key()
    opened: list[str] = []

    def write_late_and_read() -> None:
        Token.objects.filter(pk=token.pk).update(access=late)
        read = Token.objects.get(pk=token.pk)
        time.sleep(0.9)
        opened.append(read.access.open())
        connections.close_all()

    # Written and read before the second look at 0.8 s, opened after it.
    traffic = threading.Timer(0.4, write_late_and_read)
    traffic.start()
    rotation = keys.seal_again(wait_s=0.8)
    traffic.join()

    assert opened == ["sealed under the old key"]
    assert rotation.retired == ("k1",)


class Traffic:
    """Threads that read and renew what is sealed for some logins until it is over."""

    def __init__(self, logins: list[BrokerLogin]) -> None:
        self.logins, self.reads, self.wrong = logins, 0, list[str]()
        self._over = threading.Event()
        acts = [self._read, self._read, self._read, self._renew]
        self._threads = [threading.Thread(target=self._repeat, args=[act]) for act in acts]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, act: Callable[[BrokerLogin], None]) -> None:
        try:
            while not self._over.is_set():
                for login in self.logins:
                    act(login)
        except Exception as error:
            self.wrong.append(repr(error))
        finally:
            connections.close_all()

    def _read(self, login: BrokerLogin) -> None:
        label = login.label
        app_key, app_secret, access, number = secrets_of(login)
        assert (app_key, app_secret, number) == (f"key {label}", f"secret {label}", f"1234{label}")
        assert access.startswith(f"access {label}")
        self.reads += 1

    def _renew(self, login: BrokerLogin) -> None:
        sealed = seal_for(Token, "access", login.token.pk, f"access {login.label} anew")
        Token.objects.filter(pk=login.token.pk).update(access=sealed)
        self._over.wait(0.02)


@pytest.mark.django_db(transaction=True)
def test_no_read_breaks_while_keys_are_rotated_and_tokens_renewed():
    before = 0
    with Traffic([make_everything(f"000{number}") for number in range(4)]) as traffic:
        for name in ("k2", "k3", "k4"):
            call_command("rotate_keys", "--wait", "0.4", stdout=StringIO())
            assert list(key_ring().keys) == [name]
            assert traffic.reads > before + 10
            before = traffic.reads

    assert traffic.wrong == []


@pytest.mark.django_db(transaction=True)
def test_rotations_at_the_same_time_lose_no_key():
    login = make_everything("0001")
    begin = threading.Barrier(4)

    def rotate_too() -> None:
        begin.wait()
        keys.add_key()
        connections.close_all()

    threads = [threading.Thread(target=rotate_too) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(key_ring().keys) == ["k1", "k2", "k3", "k4", "k5"]
    assert keys.seal_again().retired == ("k1", "k2", "k3", "k4")
    assert secrets_of(login)[0] == "key 0001"
