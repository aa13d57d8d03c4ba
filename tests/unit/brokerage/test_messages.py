"""Every request's method, address and body."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from brokerage.schwab import messages, oauth
from brokerage.schwab.payloads import encode, order_body
from tests.unit.brokerage.test_payloads import LIMIT_SELL

FROM = datetime(2026, 1, 16, 14, 30, 0, 123456, tzinfo=UTC)
TO = datetime(2026, 1, 16, 10, 0, tzinfo=timezone(timedelta(hours=-5)))
BODY = encode(order_body(LIMIT_SELL))


@pytest.mark.parametrize(
    ("request_", "method", "path", "body"),
    [
        (messages.place_order("AB", LIMIT_SELL), "POST", "/trader/v1/accounts/AB/orders", BODY),
        (
            messages.replace_order("AB", "17", LIMIT_SELL),
            "PUT",
            "/trader/v1/accounts/AB/orders/17",
            BODY,
        ),
        (messages.cancel_order("AB", "17"), "DELETE", "/trader/v1/accounts/AB/orders/17", None),
        (
            messages.preview_order("AB", LIMIT_SELL),
            "POST",
            "/trader/v1/accounts/AB/previewOrder",
            BODY,
        ),
        (messages.get_order("AB", "17"), "GET", "/trader/v1/accounts/AB/orders/17", None),
        (
            messages.account_orders("AB", FROM, TO, status="FILLED"),
            "GET",
            "/trader/v1/accounts/AB/orders?fromEnteredTime=2026-01-16T14:30:00.123Z"
            "&toEnteredTime=2026-01-16T15:00:00.000Z&maxResults=3000&status=FILLED",
            None,
        ),
        (
            messages.orders(FROM, TO, max_results=50),
            "GET",
            "/trader/v1/orders?fromEnteredTime=2026-01-16T14:30:00.123Z"
            "&toEnteredTime=2026-01-16T15:00:00.000Z&maxResults=50",
            None,
        ),
        (messages.account_numbers(), "GET", "/trader/v1/accounts/accountNumbers", None),
        (messages.accounts(positions=True), "GET", "/trader/v1/accounts?fields=positions", None),
        (messages.accounts(positions=False), "GET", "/trader/v1/accounts", None),
        (
            messages.account("AB", positions=True),
            "GET",
            "/trader/v1/accounts/AB?fields=positions",
            None,
        ),
        (
            messages.transactions("AB", FROM, TO, symbol="XYZ   240315C00050000"),
            "GET",
            "/trader/v1/accounts/AB/transactions?startDate=2026-01-16T14:30:00.123Z"
            "&endDate=2026-01-16T15:00:00.000Z&types=TRADE&symbol=XYZ%20%20%20240315C00050000",
            None,
        ),
        (messages.user_preference(), "GET", "/trader/v1/userPreference", None),
        (
            messages.quotes(["$SPX", "XYZ   240315C00050000"]),
            "GET",
            "/marketdata/v1/quotes?symbols=%24SPX,XYZ%20%20%20240315C00050000&fields=quote,reference",
            None,
        ),
        (
            messages.chain("$SPX", date(2026, 1, 16), date(2026, 1, 17), strike_count=40),
            "GET",
            "/marketdata/v1/chains?symbol=%24SPX&contractType=ALL&strategy=SINGLE"
            "&fromDate=2026-01-16&toDate=2026-01-17&strikeCount=40",
            None,
        ),
        (
            messages.expiration_chain("F"),
            "GET",
            "/marketdata/v1/expirationchain?symbol=F",
            None,
        ),
        (
            messages.markets(["equity", "option"]),
            "GET",
            "/marketdata/v1/markets?markets=equity,option",
            None,
        ),
    ],
)
def test_every_request_is_addressed_as_documented(request_, method, path, body):
    assert (request_.method, request_.path, request_.body) == (method, path, body)


def test_a_kept_payload_is_sent_byte_for_byte():
    odd = b'{ "price" : "1.10" }'

    assert messages.place_order_body("AB", odd).body == odd
    assert messages.replace_order_body("AB", "17", odd).body == odd


def test_a_hash_cannot_climb_out_of_its_place_in_the_address():
    assert messages.get_order("../x", "1/2").path == "/trader/v1/accounts/..%2Fx/orders/1%2F2"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        messages.orders(FROM.replace(tzinfo=None), TO)


def test_more_symbols_than_a_call_takes_are_refused():
    with pytest.raises(ValueError, match="500"):
        messages.quotes([f"S{number}" for number in range(501)])


def test_a_code_is_exchanged_with_its_verifier():
    request = oauth.exchange_code("C0.abc@", "https://127.0.0.1/cb", "verifier")

    assert (request.method, request.path) == ("POST", "/v1/oauth/token")
    assert request.content_type == "application/x-www-form-urlencoded"
    assert request.body == (
        b"grant_type=authorization_code&code=C0.abc%40"
        b"&redirect_uri=https%3A%2F%2F127.0.0.1%2Fcb&code_verifier=verifier"
    )


def test_a_code_is_exchanged_without_a_verifier_where_there_is_none():
    assert b"verifier" not in (oauth.exchange_code("c", "https://x/").body or b"")


def test_a_refresh_sends_only_the_token():
    assert oauth.refresh("t@").body == b"grant_type=refresh_token&refresh_token=t%40"


def test_header_values_are_as_the_standard_says():
    assert oauth.basic_authorization("key", "secret") == "Basic a2V5OnNlY3JldA=="
    assert oauth.bearer("I0.x@") == "Bearer I0.x@"


def test_a_request_shows_no_body_in_its_repr():
    assert "secret-token" not in repr(oauth.refresh("secret-token"))
