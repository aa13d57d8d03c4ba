"""Callers of the API in their roles."""

import pytest

from accounts.domain.words import Role
from accounts.models import Account
from tests.api.caller import Caller, assert_nothing_written, faults_of
from tests.support.make import make_account, make_login, make_token, make_user


@pytest.fixture
def caller(db) -> Caller:
    """A program of an agent, signed in."""
    caller = Caller(make_user(Role.AGENT))
    caller.sign_in()
    return caller


@pytest.fixture
def viewer(db) -> Caller:
    """A program of a user who may only look, signed in."""
    caller = Caller(make_user(Role.VIEWER))
    caller.sign_in()
    return caller


@pytest.fixture
def accounts(db) -> list[Account]:
    """Three accounts under one login that is connected, as its row says; no broker knows it."""
    login = make_login()
    make_token(login)
    return [make_account(login) for _ in range(3)]


@pytest.fixture
def refused(caller, accounts, queue):
    """Send a body; return what the answer finds wrong with it, after looking for rows."""

    def send(body) -> set[tuple[str, str]]:
        answer = caller.order(body)
        assert_nothing_written()
        return faults_of(answer)

    return send
