"""Accounts, market data, previews, tokens and refusals as the broker really shows them."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from brokerage import errors
from brokerage.schwab.exchange import Reply
from brokerage.schwab.oauth import is_dead_refresh
from brokerage.schwab.replies import (
    AccountNumber,
    Expiration,
    Holding,
    MarketSession,
    raise_for_reply,
    read_account_numbers,
    read_accounts,
    read_chain,
    read_expirations,
    read_market_hours,
    read_preview,
    read_quotes,
    read_token,
)


def reply(body, status=200, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


MARGIN: Any = {
    "securitiesAccount": {
        "type": "MARGIN",
        "accountNumber": "11111111",
        "positions": [
            {
                "shortQuantity": 1.0,
                "averagePrice": 2.7733,
                "longQuantity": 0.0,
                "settledShortQuantity": -1.0,
                "instrument": {"assetType": "OPTION", "symbol": "META  250131P00525000"},
                "marketValue": -75.0,
            }
        ],
        "initialBalances": {"cashBalance": 51375.37},
        "currentBalances": {
            "cashBalance": 51420.89,
            "liquidationValue": 50946.39,
            "availableFunds": 44420.89,
            "buyingPower": 88853.04,
            "buyingPowerNonMarginableTrade": 44420.89,
        },
    },
    "aggregatedBalance": {"liquidationValue": 51434.86},
}
CASH: Any = {
    "securitiesAccount": {
        "type": "CASH",
        "accountNumber": "11111112",
        "currentBalances": {
            "cashBalance": 11687.43,
            "liquidationValue": 30433.63,
            "cashAvailableForTrading": 11600.00,
        },
    }
}


def test_account_numbers_come_with_their_hashes():
    body = [{"accountNumber": "12345678", "hashValue": "1996EA"}]

    assert read_account_numbers(reply(body)) == (AccountNumber("12345678", "1996EA"),)


def test_an_account_without_a_hash_is_unreadable():
    with pytest.raises(errors.UnreadableReply):
        read_account_numbers(reply([{"accountNumber": "12345678"}]))


def test_balances_are_read_by_the_type_of_account():
    margin, cash = read_accounts(reply([MARGIN, CASH]))

    assert (margin.number, margin.account_type) == ("11111111", "MARGIN")
    assert (margin.value, margin.cash) == (Decimal("50946.39"), Decimal("51420.89"))
    assert (margin.buying_power, margin.option_buying_power) == (
        Decimal("88853.04"),
        Decimal("44420.89"),
    )
    assert (cash.account_type, cash.value) == ("CASH", Decimal("30433.63"))
    assert cash.buying_power == cash.option_buying_power == 11600
    assert cash.holdings == ()


def test_the_days_beginning_is_read_under_either_name():
    account = MARGIN["securitiesAccount"]
    for opening, value in (
        ({"liquidationValue": 7.5, "accountValue": 9}, Decimal("7.5")),
        ({"accountValue": 9}, Decimal(9)),
        ({}, None),
        (None, None),
    ):
        shown = {"securitiesAccount": {**account, "initialBalances": opening}}
        assert read_accounts(reply([shown]))[0].opening_value == value


@pytest.mark.parametrize("name", ["buyingPower", "liquidationValue", "cashBalance"])
@pytest.mark.parametrize("said", [None, "", "NaN", ...])
def test_a_balance_that_is_not_said_is_none(name, said):
    balances = {**MARGIN["securitiesAccount"]["currentBalances"], name: said}
    if said is ...:
        del balances[name]
    shown = {"securitiesAccount": {**MARGIN["securitiesAccount"], "currentBalances": balances}}

    (found,) = read_accounts(reply([shown]))

    figures = {
        "buyingPower": found.buying_power,
        "liquidationValue": found.value,
        "cashBalance": found.cash,
    }
    assert [key for key, value in figures.items() if value is None] == [name]


@pytest.mark.parametrize(
    "worth",
    ["longMarketValue", "shortMarketValue", "longOptionMarketValue", "shortOptionMarketValue"],
)
def test_an_account_with_worth_and_without_positions_hides_them(worth):
    balances = {**CASH["securitiesAccount"]["currentBalances"], worth: -3.5}
    account = {**CASH["securitiesAccount"], "currentBalances": balances}

    (hidden,) = read_accounts(reply([{"securitiesAccount": account}]))
    (shown,) = read_accounts(reply([MARGIN]))

    assert (hidden.hides_positions, shown.hides_positions) == (True, False)


def test_positions_are_read_with_their_sign():
    (account,) = read_accounts(reply(MARGIN))

    assert account.holdings == (
        Holding(
            "META  250131P00525000",
            "OPTION",
            Decimal(0),
            Decimal(1),
            Decimal("2.7733"),
            Decimal(-75),
        ),
    )
    assert account.holdings[0].quantity == -1


@pytest.mark.parametrize(
    "position", [{}, {"instrument": {"symbol": "F"}}, None, {"longQuantity": 1}]
)
def test_a_position_that_cannot_be_read_is_never_taken_for_flat(position):
    account = {**CASH["securitiesAccount"], "positions": [position]}

    with pytest.raises(errors.UnreadableReply):
        read_accounts(reply([{"securitiesAccount": account}]))


def test_an_account_of_unknown_type_is_unreadable():
    account = {**CASH["securitiesAccount"], "type": "BARTER"}

    with pytest.raises(errors.UnreadableReply):
        read_accounts(reply([{"securitiesAccount": account}]))


CONTRACT = {
    "putCall": "CALL",
    "symbol": "SPXW  250520C05660000",
    "bid": 76,
    "ask": 77.4,
    "mark": 76.7,
    "volatility": 18.658,
    "delta": 0.509,
    "openInterest": 12,
    "strikePrice": 5660,
    "multiplier": 100,
    "settlementType": "P",
    "optionRoot": "SPXW",
    "nonStandard": False,
    "pennyPilot": False,
}


def chain(contract, side="callExpDateMap"):
    return {
        "symbol": "$SPX",
        "status": "SUCCESS",
        "underlyingPrice": 5659.91,
        "callExpDateMap": {},
        "putExpDateMap": {},
        side: {"2025-05-20:9": {"5660.0": [contract]}},
    }


def test_a_chain_is_read_by_its_short_names():
    found = read_chain(reply(chain(CONTRACT)))

    (row,) = found.rows
    assert (found.symbol, found.underlying_price) == ("$SPX", Decimal("5659.91"))
    assert (row.symbol, row.root, row.put_call) == ("SPXW  250520C05660000", "SPXW", "CALL")
    assert (row.expiration, row.strike) == (date(2025, 5, 20), Decimal(5660))
    assert (row.bid, row.ask, row.mark) == (Decimal(76), Decimal("77.4"), Decimal("76.7"))
    assert (row.delta, row.iv, row.open_interest) == (Decimal("0.509"), Decimal("18.658"), 12)
    assert (row.settlement, row.multiplier, row.non_standard) == ("P", Decimal(100), False)


def test_a_chain_is_read_by_the_specifications_names_too():
    contract = {
        "putCall": "PUT",
        "symbol": "SPXW  250520P05660000",
        "bidPrice": 1.5,
        "askPrice": 1.6,
        "markPrice": 1.55,
        "isNonStandard": True,
        "isPennyPilot": True,
    }

    (row,) = read_chain(reply(chain(contract, "putExpDateMap"))).rows

    assert (row.bid, row.ask, row.mark) == (Decimal("1.5"), Decimal("1.6"), Decimal("1.55"))
    assert (row.root, row.non_standard, row.penny_pilot) == ("SPXW", True, True)


@pytest.mark.parametrize("greek", [-999, -999.0, "NaN", None, float("nan")])
def test_a_greek_that_was_not_computed_is_none(greek):
    (row,) = read_chain(reply(chain({**CONTRACT, "delta": greek, "volatility": greek}))).rows

    assert (row.delta, row.iv) == (None, None)


def test_a_chain_that_failed_is_not_an_empty_chain():
    with pytest.raises(errors.UnreadableReply):
        read_chain(reply({**chain(CONTRACT), "status": "FAILED"}))


@pytest.mark.parametrize("name", ["expirationDate", "expiration"])
def test_expirations_are_read_under_either_name(name):
    row = {
        name: "2024-10-18",
        "daysToExpiration": 3,
        "settlementType": "A",
        "optionRoots": "SPX, SPXW",
    }

    assert read_expirations(reply({"expirationList": [row]})) == (
        Expiration(date(2024, 10, 18), 3, "A", ("SPX", "SPXW")),
    )


def test_quotes_come_with_the_symbols_the_broker_does_not_know():
    body = {
        "AAPL": {
            "assetMainType": "EQUITY",
            "quote": {
                "askPrice": 234.88,
                "bidPrice": 234.86,
                "lastPrice": 234.87,
                "mark": 234.88,
                "closePrice": 232.15,
                "quoteTime": 1729295935436,
                "securityStatus": "Normal",
            },
        },
        "$SPX": {"assetMainType": "INDEX", "quote": {"lastPrice": 6071.17}},
        "errors": {"invalidSymbols": ["XXXX"]},
    }

    found = read_quotes(reply(body))

    apple = found.by_symbol["AAPL"]
    assert (apple.bid, apple.ask, apple.mark) == (
        Decimal("234.86"),
        Decimal("234.88"),
        Decimal("234.88"),
    )
    assert apple.quoted_at == datetime(2024, 10, 18, 23, 58, 55, 436000, tzinfo=UTC)
    assert (found.by_symbol["$SPX"].bid, found.by_symbol["$SPX"].last) == (None, Decimal("6071.17"))
    assert found.invalid == ("XXXX",)


def test_an_open_day_has_sessions_in_utc():
    span = {"start": "2025-07-21T09:30:00-04:00", "end": "2025-07-21T16:15:00-04:00"}
    product = {
        "date": "2025-07-21",
        "marketType": "OPTION",
        "product": "IND",
        "isOpen": True,
        "sessionHours": {"regularMarket": [span]},
    }

    (hours,) = read_market_hours(reply({"option": {"IND": product}}))

    assert (hours.market, hours.product, hours.on, hours.is_open) == (
        "OPTION",
        "IND",
        date(2025, 7, 21),
        True,
    )
    assert hours.sessions == (
        MarketSession(
            "regularMarket",
            datetime(2025, 7, 21, 13, 30, tzinfo=UTC),
            datetime(2025, 7, 21, 20, 15, tzinfo=UTC),
        ),
    )


def test_a_closed_day_has_none():
    product = {
        "date": "2025-07-20",
        "marketType": "EQUITY",
        "product": "equity",
        "isOpen": False,
    }

    (hours,) = read_market_hours(reply({"equity": {"equity": product}}))

    assert (hours.is_open, hours.sessions) == (False, ())


def test_a_preview_tells_costs_and_reasons():
    def values(*amounts):
        return [{"value": amount, "type": "X"} for amount in amounts]

    found = read_preview(
        reply(
            {
                "orderId": 0,
                "orderStrategy": {
                    "status": "REJECTED",
                    "orderBalance": {"orderValue": 140.0, "projectedBuyingPower": 339639.46},
                },
                "orderValidationResult": {
                    "rejects": [{"activityMessage": "No.", "originalSeverity": "REJECT"}],
                    "warns": [{"activityMessage": "Weekly.", "originalSeverity": "WARN"}],
                },
                "commissionAndFee": {
                    "commission": {"commissionLegs": [{"commissionValues": values(0.0, 0.65)}] * 2},
                    "fee": {"feeLegs": [{"feeValues": values(0.01, 0.56)}]},
                },
            }
        )
    )

    assert (found.status, found.rejects, found.warnings) == ("REJECTED", ("No.",), ("Weekly.",))
    assert (found.order_value, found.buying_power) == (Decimal(140), Decimal("339639.46"))
    assert (found.commission, found.fees) == (Decimal("1.30"), Decimal("0.57"))
    assert not found.is_accepted


GRANT = {
    "expires_in": 1800,
    "token_type": "Bearer",
    "scope": "api",
    "refresh_token": "r@",
    "access_token": "I0.a@",
    "id_token": "j",
}
NESTED = (
    rb'{"error":"unsupported_token_type","error_description":"400 Bad Request: \"{\"error_description\":'
    rb"\"Exception while authenticating refresh token [tokenDigest=x, Exception=Failed refresh token"
    rb' authentication [tokenDigest=x]]\",\"error\":\"refresh_token_authentication_error\"}\""}'
)
BROKEN_NESTING = NESTED.replace(rb"\"", b'"')


def test_a_grant_is_read_and_never_shown():
    grant = read_token(reply(GRANT))

    assert (grant.access_token, grant.refresh_token, grant.expires_in_s) == ("I0.a@", "r@", 1800)
    assert "I0.a@" not in repr(grant)
    assert "r@" not in repr(grant)


def test_a_grant_without_a_refresh_token_is_unreadable():
    with pytest.raises(errors.UnreadableReply):
        read_token(reply({**GRANT, "refresh_token": None}))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, NESTED),
        (400, BROKEN_NESTING),
        (400, {"error": "invalid_grant"}),
        (401, {"error": "invalid_client", "error_description": "refresh token invalid"}),
        (400, {"error": "x", "error_description": "refresh_token_authentication_error"}),
    ],
)
def test_a_dead_refresh_token_asks_for_a_login(status, body):
    assert is_dead_refresh(reply(body, status))
    with pytest.raises(errors.LoginRequired):
        read_token(reply(body, status))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, b"<html>Access Denied invalid_grant</html>"),
        (400, b"<html>invalid_grant</html>"),
        (500, {"error": "invalid_grant"}),
        (503, b""),
        (400, {"error": "invalid_request"}),
        (200, GRANT),
    ],
)
def test_an_outage_kills_no_refresh_token(status, body):
    assert not is_dead_refresh(reply(body, status))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply({"message": "Slow down"}, 429, retry_after="9"), errors.Throttled),
        (reply({"message": "Unauthorized"}, 401), errors.TokenRefused),
        (reply(b"", 401), errors.TokenRefused),
        (reply({"message": "Order not found"}, 404), errors.Refused),
        (reply(b"404 Not Found: Requested route does not exist.", 404), errors.Unavailable),
        (reply(b"<html>Access Denied</html>", 403), errors.Unavailable),
        (reply({"errors": [{"status": 500, "title": "Oops"}]}, 400), errors.Unavailable),
        (reply({"message": "x"}, 503), errors.Unavailable),
        (reply(b"", 408), errors.Unavailable),
        (reply(b"", 302), errors.UnreadableReply),
        (Reply(200, {}, b"[]", complete=False), errors.UnreadableReply),
    ],
)
def test_a_failed_read_says_what_may_be_done_next(answer, error):
    with pytest.raises(error) as caught:
        raise_for_reply(answer)
    assert type(caught.value) is error


def test_errors_carry_what_the_next_step_needs():
    with pytest.raises(errors.Throttled) as throttled:
        raise_for_reply(reply(b"", 429, retry_after="9"))
    with pytest.raises(errors.Refused) as refused:
        raise_for_reply(reply({"message": "Order not found"}, 404))

    assert throttled.value.retry_after == 9
    assert (refused.value.status, str(refused.value)) == (404, "Order not found")


def test_a_good_answer_raises_nothing():
    raise_for_reply(reply(b"", 200))
