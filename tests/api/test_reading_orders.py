"""Broadcasts are listed newest first, filtered, and shown with every account's latest attempt."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.domain.words import Environment
from accounts.models import Account
from orders.models import AccountOrder, ComplexOrder
from tests.api.caller import (
    condor,
    far_off,
    faults_of,
    next_page,
    problem_of,
    put,
    shares,
    spread,
)
from tests.support.make import make_account, make_login


@pytest.fixture
def orders(caller, accounts, queue) -> list[int]:
    """Four broadcasts of different kinds, one of them to the first account only."""
    only_first = {"ids": [str(accounts[0].pk)]}
    bodies = [shares(), put(), spread(accounts=only_first), condor()]
    return [caller.order(body).json()["id"] for body in bodies]


def ids(answer) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()]


def test_all_are_listed_newest_first(caller, orders):
    assert ids(caller.get("orders/")) == orders[::-1]


def test_one_is_shown_as_it_was_answered(caller, accounts, queue):
    made = caller.order(condor()).json()

    assert caller.get(f"orders/{made['id']}/").json() == made


def test_everything_about_an_order_is_shown(caller, orders):
    shown = caller.get(f"orders/{orders[3]}/").json()

    expected = {
        "status": "READY",
        "strategy": "IRON_CONDOR",
        "underlying": "SPX",
        "expiration": far_off().isoformat(),
        "order_type": "LIMIT",
        "price_effect": "NET_CREDIT",
        "limit": "1.5",
        "stop": None,
        "duration": "DAY",
        "session": "NORMAL",
        "contracts": 1,
        "purpose": "OPEN",
        "legs": [{**leg, "ratio": 1} for leg in condor()["legs"]],
    }
    assert {name: shown[name] for name in expected} == expected


def test_of_several_attempts_the_latest_is_shown(caller, accounts, orders):
    first = AccountOrder.objects.get(order=orders[0], account=accounts[1])
    AccountOrder.objects.filter(pk=first.pk).update(status="FAILED_TO_PLACE")
    first.pk, first.attempt, first.status = uuid4(), 2, "WORKING"
    first.broker_order_id, first.filled = "1001", Decimal(4)
    first.net_price, first.sent_at = Decimal("1.4"), timezone.now()
    first.save(force_insert=True)

    shown = caller.get(f"orders/{orders[0]}/").json()["accounts"]

    assert [one["status"] for one in shown] == ["READY", "WORKING", "READY"]
    assert (shown[1]["broker_order_id"], shown[1]["filled"]) == ("1001", 4)
    assert shown[1]["net_price"] == "1.4"
    assert datetime.fromisoformat(shown[1]["sent_at"]).tzinfo is not None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"strategy": "EQUITY"}, [0]),
        ({"strategy": "IRON_CONDOR"}, [3]),
        ({"underlying": "SPX"}, [3, 2, 1]),
        ({"underlying": "AAPL"}, [0]),
        ({"underlying": "TSLA"}, []),
        ({"status": "READY"}, [3, 2, 1, 0]),
        ({"status": "FILLED"}, []),
        ({"underlying": "SPX", "strategy": "VERTICAL"}, [2]),
        ({"limit": 2}, [3, 2]),
    ],
)
def test_lists_can_be_filtered(caller, orders, query, found):
    assert ids(caller.get("orders/", **query)) == [orders[index] for index in found]


def test_lists_can_be_filtered_by_account(caller, orders, accounts):
    assert ids(caller.get("orders/", account=str(accounts[0].pk))) == orders[::-1]
    others = [orders[3], orders[1], orders[0]]
    assert ids(caller.get("orders/", account=str(accounts[1].pk))) == others
    assert ids(caller.get("orders/", account=str(uuid4()))) == []


def test_lists_can_be_filtered_by_day_both_included(caller, orders):
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    for number, pk in enumerate(orders):
        ComplexOrder.objects.filter(pk=pk).update(clicked_at=noon + timedelta(days=number))
    last = datetime(2026, 3, 13, 23, 59, 59, tzinfo=UTC)
    ComplexOrder.objects.filter(pk=orders[3]).update(clicked_at=last)

    assert ids(caller.get("orders/", **{"from": "2026-03-12"})) == [orders[3], orders[2]]
    assert ids(caller.get("orders/", to="2026-03-11")) == [orders[1], orders[0]]
    both = {"from": "2026-03-11", "to": "2026-03-13"}
    assert ids(caller.get("orders/", **both)) == [orders[3], orders[2], orders[1]]


def test_lists_can_be_turned_page_by_page(caller, orders):
    first = caller.get("orders/", status="READY", limit=3)
    newer = caller.order(shares(confirm=["PRICE_AWAY", "DUPLICATE_ORDER"])).json()["id"]
    second = caller.get(next_page(first))

    assert ids(first) == orders[:0:-1]
    assert ids(second) == [orders[0]]
    assert next_page(second) == ""
    assert ids(caller.get("orders/", before=orders[2], limit=1)) == [orders[1]]
    assert newer not in ids(caller.get(next_page(first)))


def test_a_word_that_is_none_is_refused_with_those_there_are(caller, orders):
    (error,) = problem_of(caller.get("orders/", strategy="CONDOR"), 400, "invalid")["errors"]

    words = "EQUITY, SINGLE_OPTION, VERTICAL, IRON_CONDOR"
    assert error["message"] == f'"CONDOR" is not one of {words}.'


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({"status": "DONE"}, ("status", "invalid_choice")),
        ({"status": ""}, ("status", "invalid_choice")),
        ({"strategy": "condor"}, ("strategy", "invalid_choice")),
        ({"account": "7"}, ("account", "invalid")),
        ({"from": "yesterday"}, ("from", "invalid")),
        ({"from": "2026-02-30"}, ("from", "invalid")),
        ({"to": "13.03.2026"}, ("to", "invalid")),
        ({"to": "9999-12-31"}, ("to", "invalid")),
        ({"before": "0"}, ("before", "min_value")),
        ({"limit": "501"}, ("limit", "max_value")),
        ({"underlying": "A" * 13}, ("underlying", "max_length")),
        ({"underlying": "A\x00"}, ("underlying", "null_characters_not_allowed")),
        ({"acount": str(uuid4())}, ("acount", "unknown")),
        ({"placed_from": "2026-01-01"}, ("placed_from", "unknown")),
        ({"status": ["READY", "FILLED"]}, ("status", "given_twice")),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(caller, orders, query, fault):
    assert faults_of(caller.get("orders/", **query)) == {fault}


def test_the_first_and_last_days_of_the_calendar_are_no_error(caller, orders):
    assert ids(caller.get("orders/", **{"from": "0001-01-01", "to": "9999-12-30"})) == orders[::-1]


@pytest.mark.parametrize("number", ["0", "999999", str(2**63), str(10**30)])
def test_an_order_that_does_not_exist(caller, orders, number):
    problem_of(caller.get(f"orders/{number}/"), 404, "not_found")
    assert caller.get("orders/", before=number).status_code in {200, 400}


@pytest.mark.parametrize("path", ["orders/x/", "orders/-1/", "orders/1", "nothing/", "", "../v2/"])
def test_an_address_that_does_not_exist(caller, path):
    body = problem_of(caller.get(path), 404, "not_found")

    assert body["detail"].startswith("The API has no /api/")


@pytest.mark.parametrize(
    ("method", "path"), [("delete", "orders/"), ("put", "orders/1/"), ("get", "auth/token/")]
)
def test_a_method_that_does_not_exist(caller, method, path):
    headers = {"Authorization": f"Bearer {caller.access}"}

    answer = getattr(caller.client, method)(f"/api/v1/{path}", headers=headers)

    problem_of(answer, 405, "method_not_allowed")


def test_a_list_costs_the_same_queries_however_long_it_is(
    caller, orders, django_assert_max_num_queries
):
    with django_assert_max_num_queries(4):  # session, orders, legs, children
        caller.get("orders/")


def test_accounts_of_the_other_environment_are_not_shown(caller, accounts, orders):
    live = make_account(make_login(environment=Environment.LIVE))
    AccountOrder.objects.filter(order=orders[0], account=accounts[0]).update(account=live)

    shown = caller.get(f"orders/{orders[0]}/").json()["accounts"]

    assert [one["id"] for one in shown] == [str(account.pk) for account in accounts[1:]]


def test_no_account_number_is_in_any_answer(caller, accounts, orders):
    texts = [caller.get("orders/").content, caller.get("accounts/").content]

    for account in Account.objects.all():
        for secret in (account.number.open(), account.hash_value):
            assert all(secret.encode() not in text for text in texts)
