"""What an answer to a placing proves, row by row."""

import json

import pytest

from brokerage.schwab.answers import Proof, judge_placing
from brokerage.schwab.exchange import ApiRequest, Exchange, Failure, FailureKind, Reply

HASH = "1996EA061B4878E8D0B9063DF74925E5688F475BE00AF6A0A41E1FC4A2510AA0"
OTHER = "DAC7D21C00C8A5086918EA91173D60302A704FFE4CF3731E7709F18F8CE948F2"
PLACED = f"https://api.schwabapi.com/trader/v1/accounts/{HASH}/orders/1002651112111"
REQUEST = ApiRequest("POST", "/trader/v1/accounts/x/orders", b"{}")
GATEWAY = {"id": "0be2", "status": 401, "title": "Unauthorized", "detail": "Client not authorized"}
HTML = b"<html><title>Access Denied</title></html>"


def judge(status, body=b"", *, complete=True, at=None, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = Reply(status, named, raw, complete=complete)
    return judge_placing(
        Exchange(REQUEST, sent_at=1.0, answered_at=at, reply=reply), account_hash=HASH
    )


@pytest.mark.parametrize(
    "location",
    [
        PLACED,
        PLACED.replace("api.schwabapi.com", "127.0.0.1:8183"),
        PLACED.removeprefix("https://api.schwabapi.com"),
    ],
)
def test_a_201_with_this_accounts_location_is_accepted_whatever_its_host(location):
    verdict = judge(201, location=location)

    assert (verdict.proof, verdict.order_id) == (Proof.ACCEPTED, "1002651112111")


def test_a_201_whose_body_was_cut_is_accepted_by_its_location():
    assert judge(201, b"{", complete=False, location=PLACED).proof is Proof.ACCEPTED


@pytest.mark.parametrize(
    ("location", "code"),
    [
        (None, "NO_LOCATION"),
        (PLACED.replace(HASH, OTHER), "OTHER_ACCOUNT"),
        (PLACED + "x", "BAD_LOCATION"),
        (PLACED.rsplit("/", 1)[0] + "/", "BAD_LOCATION"),
        (PLACED.rsplit("/", 1)[0] + "/١٢٣", "BAD_LOCATION"),
        (PLACED.rsplit("/", 1)[0] + "/0", "BAD_LOCATION"),
        (PLACED.rsplit("/", 1)[0] + "/017", "BAD_LOCATION"),
        (PLACED.rsplit("/", 1)[0] + "/" + "9" * 20, "BAD_LOCATION"),
        (PLACED.replace(HASH, HASH.lower()), "OTHER_ACCOUNT"),
        (f"{PLACED}, {PLACED[:-1]}2", "BAD_LOCATION"),
        (f"{PLACED}, {PLACED}", "BAD_LOCATION"),
        ("", "BAD_LOCATION"),
        ("https://evil.example/?/accounts/" + HASH + "/orders/1", "BAD_LOCATION"),
    ],
)
def test_a_201_without_a_usable_location_proves_nothing(location, code):
    verdict = judge(201, **({} if location is None else {"location": location}))

    assert (verdict.proof, verdict.code, verdict.order_id) == (Proof.UNKNOWN, code, None)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 415, 422])
@pytest.mark.parametrize(
    "body",
    [
        {"message": "Invalid account number"},
        {"message": "Bad order", "errors": ["price", "leg"]},
        {"errors": [{"id": "a", "status": "404", "title": "Not Found"}]},
        {"message": "Bad order", "errors": None},
    ],
)
def test_a_refusal_in_the_brokers_shape_means_not_placed(status, body):
    assert judge(status, body).proof is Proof.REFUSED


def test_the_brokers_own_words_are_kept():
    assert judge(400, {"message": "Bad order", "errors": ["price"]}).words == "Bad order; price"
    assert judge(401, {"errors": [GATEWAY]}).words == "Unauthorized: Client not authorized"


def test_a_401_in_the_brokers_shape_means_not_placed_and_asks_for_a_token():
    assert judge(401, {"errors": [GATEWAY]}).proof is Proof.UNAUTHORIZED
    assert judge(401, {"message": "Unauthorized"}).proof is Proof.UNAUTHORIZED


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        HTML,
        b"404 Not Found: Requested route does not exist.",
        b'{"message":"cut',
        b"[" * 5000,
        [],
        {},
        {"message": ""},
        {"message": 17},
        {"errors": "no list"},
        {"errors": [{"id": "a"}]},
        {"errors": [{"title": "x"}, 3]},
        {"fault": {"faultstring": "Body buffer overflow"}},
        {"error": "invalid_client"},
    ],
)
def test_a_4xx_in_any_other_shape_proves_nothing(status, body):
    assert judge(status, body).proof is Proof.UNKNOWN


@pytest.mark.parametrize("status", [400, 401, 403, 422, 429])
def test_a_refusal_whose_body_was_cut_proves_nothing(status):
    assert judge(status, {"message": "Bad order"}, complete=False).proof is Proof.UNKNOWN


def test_a_429_needs_no_reason_in_the_body():
    assert judge(429).proof is Proof.THROTTLED
    assert judge(429, HTML).proof is Proof.THROTTLED
    assert judge(429, {"errors": [{"status": 429, "title": "a"}]}).proof is Proof.THROTTLED


@pytest.mark.parametrize("status", [400, 401, 403, 422, 429])
@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"id": "a", "status": 500, "title": "Internal Server Error"}]},
        {"errors": [{"id": "a", "status": "503", "title": "Oops"}]},
        {"message": "Oops", "status": 502},
        {"message": "Bad order", "errors": [{"title": "a", "source": {"status": 504}}]},
        {"errors": [{"status": 400, "title": "a"}, {"status": 500, "title": "b"}]},
        {"message": "A problem may have affected your order placement. Check Order Status."},
        {"message": "Bad order", "errors": ["It may have affected your order placement"]},
        {"errors": [{"title": "A problem", "detail": "It may have affected your order placement"}]},
        {"message": "A problem may\nhave\u00a0affected your order placement"},
        {"message": "a" * 300 + " which may have affected your order placement"},
        b'{"message":"It m\\u0061y have affected your order placement"}',
        {"message": "Your order could have been placed"},
        {"message": "Your order may already have been executed"},
        {"message": "Your order might have already been placed"},
        {"message": "Please verify your order status"},
        {"message": "A system error occurred"},
        {"message": "Bad Gateway"},
        {"message": "Gateway Time-out"},
        {"message": "Application encountered unexpected error"},
        {"message": "Service temporarily unavailable"},
    ],
)
def test_a_4xx_that_hides_a_servers_failure_proves_nothing(status, body):
    assert judge(status, body).proof is Proof.UNKNOWN


@pytest.mark.parametrize(
    "words",
    [
        "The account is not approved for this level of options trading.",
        "This order may result in an oversold/overbought position in your account.",
        "Your limit price is significantly away from the current market price.",
        "Spread orders for SPX options must be priced in 5-cent increments.",
        "Order 5004 costs 500 dollars",
        "Your order could not be placed",
        "Orders may be placed from 09:30 to 16:00",
    ],
)
def test_a_known_reject_reason_is_not_taken_for_a_failure(words):
    assert judge(400, {"message": words}).proof is Proof.REFUSED


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("3600", 60.0),
        ("-5", 5.0),
        ("soon", 5.0),
        ("1e3", 5.0),
        ("9" * 5000, 5.0),
        ("Fri, 16 Jan 2026 15:00:20 GMT", 20.0),
        ("Fri, 16 Jan 2026 14:00:00 GMT", 1.0),
        ("Fri, 99 Jan 2026 14:00:00 GMT", 5.0),
    ],
)
def test_the_pause_asked_for_is_kept_within_reason(header, seconds):
    verdict = judge(429, HTML, retry_after=header, date="Fri, 16 Jan 2026 15:00:00 GMT")

    assert (verdict.proof, verdict.retry_after) == (Proof.THROTTLED, seconds)


def test_without_the_brokers_clock_ours_measures_the_pause():
    at = 1768575600.0  # 2026-01-16 15:00:00 UTC

    assert judge(429, retry_after="Fri, 16 Jan 2026 15:00:09 GMT", at=at).retry_after == 9.0
    assert judge(429, retry_after="Fri, 16 Jan 2026 15:00:09 GMT").retry_after == 5.0


def test_a_429_that_asks_for_no_pause_names_none():
    assert judge(429).retry_after is None


@pytest.mark.parametrize(
    "status", [200, 202, 204, 301, 302, 307, 402, 408, 409, 410, 418, 425, 500, 502, 503, 504, 599]
)
def test_every_other_status_proves_nothing_even_with_reason_and_location(status):
    verdict = judge(status, {"message": "Bad order"}, location=PLACED)

    assert (verdict.proof, verdict.order_id) == (Proof.UNKNOWN, None)


def test_a_request_that_was_never_written_placed_nothing():
    failure = Failure(FailureKind.NOT_WRITTEN, "No connection (Connection refused)")
    verdict = judge_placing(Exchange(REQUEST, failure=failure), account_hash=HASH)

    assert (verdict.proof, verdict.words) == (Proof.NOT_SENT, failure.words)


def test_silence_after_writing_proves_nothing():
    failure = Failure(FailureKind.MAYBE_WRITTEN, "No answer in time")
    verdict = judge_placing(Exchange(REQUEST, sent_at=1.0, failure=failure), account_hash=HASH)

    assert (verdict.proof, verdict.code) == (Proof.UNKNOWN, "NO_ANSWER")


def test_words_are_short_plain_and_on_one_line():
    verdict = judge(400, {"message": "a\r\n\x1b[31mb\u202e" + "c" * 400})

    assert verdict.words.startswith("a [31mb c")
    assert len(verdict.words) == 300
    assert verdict.words.isprintable()
