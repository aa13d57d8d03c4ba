"""Lines of the log: no secret, no whole account number, one record each, and whose they are."""

import json
import logging

import pytest

from accounts.live import asking
from tradeswim.logs import Indented, JsonLines, redacted

SECRETS = [
    "Authorization: Bearer I0.b2F1dGgyLmJkYy5zY2h3YWIuY29t.abc@",
    "grant failed: refresh_token=Ab1-Cd2_Ef3.x&grant_type=refresh_token",
    '{"access_token": "Ab1-Cd2_Ef3", "expires_in": 1800}',
    "callback https://host/oauth/callback/?code=C0.b2F1dGgyLmJkYy&session=1",
    "redis://:hunter2hunter2@127.0.0.1:6379/0",
    "password='correct horse'",
    '{"password": "a correct horse", "otp": "12"}',
    r"""{'secret': 'a "correct" \'horse\''}""",
    "jwt eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiIxIn0.c2lnbmF0dXJl",
]


@pytest.mark.parametrize("said", SECRETS)
def test_what_looks_like_a_secret_is_not_written(said):
    for secret in (
        "I0.b2F1dGgy",
        "Ab1-Cd2",
        "C0.b2F1",
        "hunter2",
        "correct",
        "horse",
        '"12"',
        "eyJzaWQi",
    ):
        assert secret not in redacted(said)


@pytest.mark.parametrize(
    "said",
    [
        "placed [12]: {'ACCEPTED': 45}",
        "order 1000000000123 of account …6789 is WORKING",
        "took 12345.678 ms, port 59441, status code: 400",
        "no token for login 3; the token: old",
        "2026-11-28 21:02:10,351 INFO",
    ],
)
def test_what_is_no_secret_stays(said):
    assert redacted(said) == said


def test_an_account_number_keeps_its_last_four_digits():
    assert redacted("account 123456789, then 12345678.") == "account …6789, then …5678."


@pytest.fixture
def record() -> logging.LogRecord:
    return logging.LogRecord("orders", logging.WARNING, "x", 1, "said %s", ("a\nb \x1b",), None)


def test_a_line_of_json_is_one_line_and_names_the_request(record):
    asking.go_on("5f2c")
    try:
        line = JsonLines().format(record)
        plain = Indented("%(message)s").format(record)
    finally:
        asking.end()

    said = json.loads(line)
    assert "\n" not in line
    assert (said["message"], said["level"], said["request_id"]) == (
        "said a\nb \x1b",
        "WARNING",
        "5f2c",
    )
    assert plain == "said a\n    b \\x1b [5f2c]"


def test_an_error_is_written_whole_without_its_secrets(record):
    try:
        int("password=hunter2hunter2")
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)

    said = json.loads(JsonLines().format(record))

    assert "Traceback" in said["exception"]
    assert "hunter2" not in said["exception"]
    assert "request_id" not in said
