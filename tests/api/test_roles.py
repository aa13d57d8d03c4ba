"""What each role may do with the API, and what a page may that is signed in."""

import pytest
from django.test import Client

from accounts.domain.words import Role
from tests.api.caller import Caller, may_read, problem_of
from tests.support.make import make_user


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EXIT_ONLY])
def test_who_may_not_trade_may_read_and_no_more(accounts, role):
    caller = Caller(make_user(role))
    caller.sign_in()

    assert may_read(caller)
    assert caller.get("accounts/").status_code == 200
    problem_of(caller.order({}), 403, "permission_denied")
    problem_of(caller.patch(f"accounts/{accounts[0].pk}/", {}), 403, "permission_denied")
    problem_of(caller.post("accounts/refresh/"), 403, "permission_denied")


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_agents_and_admins_may_trade(accounts, queue, role):
    caller = Caller(make_user(role))
    caller.sign_in()

    assert caller.order({}).status_code == 400


def test_a_page_needs_its_csrf_token_to_write_but_not_to_read(accounts, queue):
    page = Client(enforce_csrf_checks=True)
    page.force_login(make_user(Role.AGENT))

    assert page.get("/api/v1/orders/").status_code == 200
    answer = page.post("/api/v1/orders/", "{}", content_type="application/json")
    problem_of(answer, 403, "permission_denied")
