"""What a program hears when a guard refuses its order, and how it insists."""

from uuid import uuid4

import pytest

from accounts.domain.words import Mode, ModeScope
from accounts.models import Account
from orders.models import ComplexOrder
from tests.api.caller import (
    Caller,
    assert_nothing_written,
    condor,
    faults_of,
    problem_of,
    put,
    shares,
    spread,
    without,
)
from tests.support.fleet import Fleet
from tests.support.make import make_mode


@pytest.fixture
def program(fleet: Fleet, queue) -> Caller:
    """A program of the agent whose accounts the paper broker knows."""
    caller = Caller(fleet.agent)
    caller.sign_in()
    return caller


def condor_of(fleet: Fleet, **changes):
    ticket = fleet.condor()
    legs = [{"symbol": leg.symbol, "instruction": leg.instruction} for leg in ticket.legs]
    return without(condor(legs=legs, limit="0.05", **changes), "confirm")


def test_a_price_far_from_the_market_is_refused_with_code_field_numbers_and_a_way_out(
    program, fleet
):
    body = problem_of(program.order(condor_of(fleet)), 400, "PRICE_AWAY")

    (error,) = body["errors"]
    assert (error["field"], error["code"], error["overridable"]) == ("limit", "PRICE_AWAY", True)
    assert error["accounts"] == []
    assert "0.05 credit" in error["message"]
    assert body["detail"] == error["message"]
    assert_nothing_written()


def test_confirming_the_code_sends_it_under_the_same_key(program, fleet):
    key, body = uuid4(), condor_of(fleet)
    problem_of(program.order(body, key=key), 400, "PRICE_AWAY")

    answer = program.order({**body, "confirm": ["PRICE_AWAY"]}, key=key)

    assert answer.status_code == 201, answer.content
    assert program.order(body, key=key).json()["id"] == answer.json()["id"]
    assert ComplexOrder.objects.count() == 1


def test_the_natural_price_needs_no_confirmation(program, fleet):
    close_to_it = condor_of(fleet) | {"limit": "4.95"}

    assert program.order(close_to_it).status_code == 201


def test_the_same_order_again_under_another_key_is_a_duplicate(caller, accounts, queue):
    body = shares(confirm=["PRICE_AWAY"], accounts={"ids": [str(accounts[1].pk)]})
    assert caller.order(body).status_code == 201

    (error,) = problem_of(caller.order(body), 400, "DUPLICATE_ORDER")["errors"]

    assert (error["field"], error["overridable"]) == ("accounts", True)
    assert error["accounts"] == [accounts[1].alias]
    assert accounts[1].alias in error["message"]
    assert caller.order(shares()).status_code == 201


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (condor(contracts=501), "501 contracts on a ticket is more than 500"),
        (shares(contracts=10_001), "10,001 shares on a ticket is more than 10,000"),
    ],
)
def test_a_size_above_the_limit_cannot_be_confirmed(caller, accounts, queue, body, words):
    body["confirm"].append("MAX_CONTRACTS")

    answer = problem_of(caller.order(body), 400, "MAX_CONTRACTS")

    (error,) = answer["errors"]
    assert (error["field"], error["overridable"]) == ("contracts", False)
    assert words in error["message"]
    assert "Confirming MAX_CONTRACTS does not help." in error["message"]
    assert_nothing_written()


def test_a_broadcast_above_the_limit_is_refused_and_one_at_it_goes(caller, accounts, queue):
    Account.objects.update(multiplier=5)
    problem_of(caller.order(condor(contracts=101)), 400, "MAX_CONTRACTS")
    Account.objects.filter(pk=accounts[0].pk).update(multiplier=6)

    answer = caller.order(condor(contracts=100))

    statuses = [(one["status"], one["reason_code"]) for one in answer.json()["accounts"]]
    assert statuses == [("SKIPPED", "MAX_CONTRACTS"), ("READY", ""), ("READY", "")]


def test_accounts_that_cannot_pay_are_listed(caller, accounts, queue):
    Account.objects.filter(pk=accounts[2].pk).update(buying_power=100)

    (error,) = problem_of(caller.order(spread()), 400, "BUYING_POWER")["errors"]

    assert error["accounts"] == [accounts[2].alias]
    assert "needs $350.00 and has $50.00" in error["message"]
    confirmed = spread(confirm=["PRICE_AWAY", "BUYING_POWER"])
    assert caller.order(confirmed).status_code == 201


def test_a_market_order_with_legs_is_refused_until_it_is_confirmed(caller, accounts, queue):
    market = condor(order_type="MARKET", limit=None, price_effect=None)

    (error,) = problem_of(caller.order(market), 400, "NO_MARKET_MULTILEG")["errors"]

    assert error["field"] == "order_type"
    market["confirm"].append("NO_MARKET_MULTILEG")
    assert caller.order(market).status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [(condor(limit="5.00"), "CREDIT_OVER_WIDTH"), (spread(limit="7.50"), "CREDIT_OVER_WIDTH")],
)
def test_a_credit_that_nobody_gives_cannot_be_confirmed(caller, accounts, queue, body, code):
    body["confirm"].append(code)

    (error,) = problem_of(caller.order(body), 400, code)["errors"]

    assert (error["field"], error["overridable"]) == ("limit", False)
    assert_nothing_written()


def test_a_closed_gate_refuses_the_click_with_its_words(caller, accounts, queue):
    make_mode(Mode.FROZEN, ModeScope.GATE)

    (error,) = problem_of(caller.order(put()), 400, "MODE")["errors"]

    assert "a test says so" in error["message"]
    assert error["accounts"] == [account.alias for account in accounts]
    assert_nothing_written()


def test_two_guards_at_once_are_told_together(caller, accounts, queue):
    caller.order(shares())

    found = faults_of(caller.order(shares(confirm=[])))

    assert found == {("limit", "PRICE_AWAY"), ("accounts", "DUPLICATE_ORDER")}


@pytest.mark.parametrize(
    ("confirm", "fault"),
    [
        (["EVERYTHING"], ("confirm[0]", "invalid_choice")),
        (["PRICE_AWAY", "price_away"], ("confirm[1]", "invalid_choice")),
        ([7], ("confirm[0]", "invalid_choice")),
        ([["PRICE_AWAY"]], ("confirm[0]", "invalid_choice")),
        ("PRICE_AWAY", ("confirm", "not_a_list")),
        (None, ("confirm", "null")),
        (["PRICE_AWAY"] * 21, ("confirm", "max_length")),
    ],
)
def test_a_confirmation_that_is_none_is_refused(caller, accounts, queue, confirm, fault):
    assert faults_of(caller.order(shares(confirm=confirm))) == {fault}
    assert_nothing_written()


def test_confirming_what_nobody_objects_to_harms_nothing(caller, accounts, queue):
    body = shares(order_type="MARKET", limit=None, confirm=["MODE", "EXPIRED", "BUYING_POWER"])

    assert caller.order(body).status_code == 201
