"""Every ticket that cannot be traded is refused with its field, and leaves no row."""

from datetime import date

import pytest

from tests.api.caller import (
    assert_nothing_written,
    condor,
    faults_of,
    problem_of,
    put,
    shares,
    spread,
    with_leg,
    without,
)

PAST = date(2024, 1, 19)
UNKNOWN = "0190a0a0-0000-7000-8000-000000000000"


@pytest.mark.parametrize("body", [shares(), put(), spread(), condor()])
def test_the_tickets_that_are_spoiled_below_are_good(caller, accounts, queue, body):
    answer = caller.order(body)

    assert answer.status_code == 201, answer.content


@pytest.mark.parametrize("ticket", [shares, condor])
@pytest.mark.parametrize(
    ("contracts", "code"),
    [
        (0, "min_value"),
        (-1, "min_value"),
        (1.5, "invalid"),
        (1.0, "invalid"),
        (1e9, "invalid"),
        (10**9, "max_value"),
        (10**400, "max_value"),
        ("NaN", "invalid"),
        ("Infinity", "invalid"),
        ("-1", "invalid"),
        (-(10**400), "min_value"),
        ("1e3", "invalid"),
        ("\uff11\uff10", "invalid"),
        ("1_0", "invalid"),
        (" 1", "invalid"),
        ("", "invalid"),
        (True, "invalid"),
        (None, "null"),
        ([1], "invalid"),
        ({}, "invalid"),
    ],
)
def test_a_number_of_contracts_that_is_none(refused, ticket, contracts, code):
    assert refused(ticket(contracts=contracts)) == {("contracts", code)}


@pytest.mark.parametrize("name", ["strategy", "legs", "order_type", "contracts"])
def test_a_field_that_is_missing(refused, name):
    assert (name, "required") in refused(without(condor(), name))


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        (0, "not_positive"),
        ("0.00", "not_positive"),
        (-1.5, "not_positive"),
        ("-0.05", "not_positive"),
        ("1.501", "too_many_decimals"),
        (1.5001, "too_many_decimals"),
        ("1.53", "off_tick"),
        ("1e-9", "max_decimal_places"),
        ("1.00001", "max_decimal_places"),
        (1e300, "max_digits"),
        ("9" * 30, "max_digits"),
        ("9" * 5000, "max_string_length"),
        ("NaN", "invalid"),
        ("sNaN", "invalid"),
        ("Infinity", "invalid"),
        ("-inf", "invalid"),
        ("\uff11.\uff15", "invalid"),
        ("1_0", "invalid"),
        ("1,50", "invalid"),
        ("", "missing"),
        (True, "invalid"),
        ([1.5], "invalid"),
        ({"a": 1}, "invalid"),
    ],
)
def test_a_limit_that_is_no_price(refused, limit, code):
    assert refused(condor(limit=limit)) == {("limit", code)}


@pytest.mark.parametrize("limit", [None, "missing"])
def test_a_limit_order_without_a_limit(refused, limit):
    body = condor(limit=None) if limit is None else without(condor(), "limit")

    assert refused(body) == {("limit", "missing")}


@pytest.mark.parametrize("limit", ["5", "5.00", "7.50"])
def test_a_credit_of_the_width_or_more(refused, limit):
    assert refused(condor(limit=limit)) == {("limit", "CREDIT_OVER_WIDTH")}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (condor(price_effect="NET_DEBIT"), "price_effect", "contradicts_legs"),
        (spread(price_effect="NET_DEBIT"), "price_effect", "contradicts_legs"),
        (condor(price_effect=None), "price_effect", "missing"),
        (without(condor(), "price_effect"), "price_effect", "missing"),
        (put(price_effect="NET_DEBIT"), "price_effect", "not_allowed"),
        (shares(price_effect="NET_CREDIT"), "price_effect", "not_allowed"),
        (condor(price_effect="CREDIT"), "price_effect", "invalid_choice"),
        (condor(strategy="STRANGLE"), "strategy", "invalid_choice"),
        (condor(strategy="iron_condor"), "strategy", "invalid_choice"),
        (condor(strategy=["IRON_CONDOR"]), "strategy", "invalid_choice"),
        (condor(strategy="VERTICAL"), "strategy", "strategy_mismatch"),
        (shares(strategy="SINGLE_OPTION"), "strategy", "strategy_mismatch"),
        (condor(order_type="NET_CREDIT"), "order_type", "invalid_choice"),
        (condor(order_type="STOP", limit=None, stop="1"), "order_type", "not_allowed"),
        (condor(order_type="MARKET"), "limit", "not_allowed"),
        (shares(stop="1.00"), "stop", "not_allowed"),
        (shares(order_type="STOP_LIMIT"), "stop", "missing"),
        (shares(order_type="STOP", limit=None, stop="0"), "stop", "not_positive"),
        (shares(order_type="STOP", limit=None, stop="NaN"), "stop", "invalid"),
        (condor(duration="FOREVER"), "duration", "invalid_choice"),
        (condor(session="NIGHT"), "session", "invalid_choice"),
        (condor(session="AM"), "session", "not_allowed"),
        (shares(confirm="ALL"), "confirm", "not_a_list"),
    ],
)
def test_a_field_that_contradicts_the_rest(refused, body, field, code):
    assert refused(body) == {(field, code)}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ("all", "invalid"),
        ("", "invalid"),
        (None, "null"),
        ([], "invalid"),
        ({}, "invalid"),
        (7, "invalid"),
        ({"ids": []}, "empty"),
        ({"except": []}, "empty"),
        ({"ids": "active"}, "invalid"),
        ({"ids": ["7"]}, "invalid"),
        ({"ids": [7]}, "invalid"),
        ({"ids": [None]}, "invalid"),
        ({"ids": [UNKNOWN], "group": "family"}, "invalid"),
        ({"id": [UNKNOWN]}, "invalid"),
        ({"group": 7}, "invalid"),
        ({"group": "a\x00b"}, "invalid"),
        ({"ids": [UNKNOWN]}, "unknown_account"),
        ({"group": "nobody"}, "unknown_group"),
        ({"group": ""}, "unknown_group"),
    ],
)
def test_accounts_that_are_malformed_unknown_or_none(refused, wish, code):
    assert refused(shares(accounts=wish)) == {("accounts", code)}


def test_no_account_left(refused, accounts):
    everybody = [str(account.pk) for account in accounts]

    assert refused(shares(accounts={"except": everybody})) == {("accounts", "no_accounts")}


def test_one_unknown_account_among_known_ones(refused, accounts):
    some = [str(accounts[0].pk), UNKNOWN]

    assert refused(shares(accounts={"ids": some})) == {("accounts", "unknown_account")}


@pytest.mark.parametrize(
    "name", ["status", "limit ", "Limit", "deadline_at", "purpose", "\u200bid"]
)
def test_a_field_that_nobody_knows(refused, name):
    assert refused(shares(**{name: "x"})) == {(name, "unknown")}


def test_a_field_that_nobody_knows_in_a_leg(refused):
    assert refused(with_leg(condor(), 3, quantity=5)) == {("legs[3].quantity", "unknown")}


def test_everything_that_is_wrong_is_told_at_once(refused):
    found = refused(condor(limit="x", contracts=0, duration="x", accounts="x"))

    assert {field for field, _ in found} == {"limit", "contracts", "duration", "accounts"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null x",
        '{"contracts": NaN}',
        '{"contracts": Infinity}',
        '{"contracts": -Infinity}',
        '{"contracts": 1, "contracts": 100}',
        '{"legs": [{"symbol": "AAPL", "symbol": "TSLA"}]}',
        "{'contracts': 1}",
        "[" * 100_000,
        b"\xff\xfe",
        '{"strategy": "\\ud800"}',
        '{"\\udfff": 1}',
        '{"contracts": ' + "9" * 5000 + "}",
        "\ufeff{}",
    ],
    ids=range(15),
)
def test_a_body_that_is_not_json(caller, accounts, queue, text):
    answer = caller.order(text)

    if text == "":
        assert ("strategy", "required") in faults_of(answer)
    else:
        problem_of(answer, 400, "parse_error")
    assert_nothing_written()


@pytest.mark.parametrize("text", ["null", "[]", "7", '"x"', "true"])
def test_a_body_that_is_no_object(refused, text):
    assert refused(text)


def test_a_body_that_is_too_large(caller, accounts, queue):
    answer = caller.order(b'{"name": "' + b"x" * 300_000 + b'"}')

    problem_of(answer, 413, "too_large")
    assert_nothing_written()


def test_a_body_that_is_a_form(caller, accounts, queue):
    headers = {"Authorization": f"Bearer {caller.access}"}

    answer = caller.client.post("/api/v1/orders/", {"contracts": 1}, headers=headers)

    problem_of(answer, 400, "invalid")
    assert_nothing_written()
