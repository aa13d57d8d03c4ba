"""Previews, tokens and refusals as the broker really shows them."""

from decimal import Decimal

import pytest

from brokerage import errors
from brokerage.schwab.exchange import Reply
from brokerage.schwab.oauth import is_dead_refresh
from brokerage.schwab.replies import (
    raise_for_reply,
    read_preview,
    read_token,
)
from tests.unit.brokerage.answering import reply


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
