"""The calls of the design, one by one: address, methods, what is sent, what comes back."""

import json

import pytest
from django.core.management import call_command

from orders.domain.guards import Guard

# Calls and methods of the design, and beside them those that were added.
DESIGNED = {
    "auth/token/": {"post"},
    "auth/refresh/": {"post"},
    "auth/logout/": {"post"},
    "orders/": {"get", "post"},
    "orders/{id}/": {"get"},
    "orders/{id}/cancel/": {"post"},
    "orders/{id}/replace/": {"post"},
    "orders/{id}/retry-failed/": {"post"},
    "expirations/{underlying}/": {"get"},
    "chains/{underlying}/{expiration}/": {"get"},
    "sets/": {"get"},
    "sets/{id}/": {"get"},
    "sets/{id}/exit/": {"post"},
    "accounts/": {"get"},
    "accounts/{id}/": {"patch"},
    "accounts/refresh/": {"post"},
    "mode/": {"get", "post"},
    "close-everything/": {"post"},
    "sync/{name}/": {"post"},
    "status/": {"get"},
}
SUCCESSES = {
    "post auth/token/": {"200"},
    "post orders/": {"200", "201"},
    "post orders/{id}/cancel/": {"202"},
    "post orders/{id}/replace/": {"202"},
    "post orders/{id}/retry-failed/": {"202"},
    "post sets/{id}/exit/": {"200", "201"},
    "post accounts/refresh/": {"202"},
    "post close-everything/": {"202"},
    "post sync/{name}/": {"202"},
}
SENT = {
    "post auth/token/": {"username", "password", "otp"},
    "post orders/": {
        "strategy",
        "legs",
        "order_type",
        "price_effect",
        "limit",
        "stop",
        "contracts",
        "duration",
        "session",
        "accounts",
        "confirm",
    },
    "post orders/{id}/cancel/": {"accounts"},
    "post orders/{id}/replace/": {"limit", "accounts"},
    "post orders/{id}/retry-failed/": {"accounts"},
    "post sets/{id}/exit/": {"order_type", "limit", "percent", "accounts"},
    "patch accounts/{id}/": {"alias", "is_active", "multiplier"},
    "post mode/": {"scope", "target", "mode", "why"},
}
ORDER = {"id", "status", "accounts", "broadcast_ms"}
SHARE = {
    "id",
    "alias",
    "status",
    "reason",
    "broker_order_id",
    "filled",
    "net_price",
    "sent_at",
}
ACCOUNT = {"alias", "mask", "is_active", "mode", "multiplier", "groups", "value", "age_s"}
ANSWERED = {
    "post auth/token/": {"access", "expires_in"},
    "post orders/": ORDER,
    "get orders/": ORDER,
    "get orders/{id}/": ORDER,
    "get expirations/{underlying}/": {"expiration", "days", "settlement"},
    "get chains/{underlying}/{expiration}/": {
        "symbol",
        "strike",
        "put_call",
        "bid",
        "ask",
        "mark",
        "delta",
        "iv",
        "open_interest",
    },
    "get sets/": {"id", "legs", "accounts", "exit_prices", "flat_at"},
    "get sets/{id}/": {"id", "legs", "accounts", "exit_prices", "flat_at"},
    "post sets/{id}/exit/": ORDER,
    "get accounts/": ACCOUNT,
    "patch accounts/{id}/": ACCOUNT,
    "get mode/": {"scope", "target", "mode", "why"},
    "get status/": {"parts", "beats", "logins", "budget", "mode"},
}
NESTED = {
    "OrderAnswer.accounts": SHARE,
    "OrderInput.legs": {"symbol", "instruction", "ratio"},
    "SetAnswer.accounts": {"alias", "bookmarked", "held", "residual"},
    "SetAnswer.exit_prices": {"natural", "mid"},
    "StatusAnswer.beats": {"beat", "age_s"},
}
WORDS = {
    "OrderInput.strategy": {"EQUITY", "SINGLE_OPTION", "VERTICAL", "IRON_CONDOR"},
    "OrderInput.order_type": {"MARKET", "LIMIT", "STOP", "STOP_LIMIT"},
    "OrderAnswer.price_effect": {"NET_CREDIT", "NET_DEBIT", "NET_ZERO"},
    "OrderAnswer.status": {
        "READY",
        "SENDING",
        "WORKING",
        "PARTIAL",
        "FILLED",
        "CLOSED_OUT",
        "NEEDS_AGENT",
    },
    "ExitInput.order_type": {"LIMIT", "MARKET"},
    "ChainRowAnswer.put_call": {"PUT", "CALL"},
    "OrderInput.confirm": set(Guard),
}
KEYED = {
    "orders/": True,
    "sets/{id}/exit/": True,
    "orders/{id}/cancel/": False,
    "orders/{id}/replace/": False,
    "orders/{id}/retry-failed/": False,
    "orders/{id}/ladder/": False,
    "close-everything/": False,
    "mode/": False,
    "sync/{name}/": False,
    "accounts/refresh/": False,
}
FILTERS = {"status", "strategy", "underlying", "account", "from", "to"}


class Described:
    """The description, by calls as the design names them."""

    def __init__(self, text: str) -> None:
        found = json.loads(text)
        self.schemas = found["components"]["schemas"]
        self.paths = {path.removeprefix("/api/v1/"): item for path, item in found["paths"].items()}

    def call(self, name: str):
        method, path = name.split()
        return self.paths[path][method]

    def fields(self, schema):
        return self.whole(schema)["properties"]

    def whole(self, schema):
        """Follow references, into a list's members too."""
        while True:
            if "$ref" in schema:
                schema = self.schemas[schema["$ref"].rpartition("/")[2]]
            elif schema.get("type") == "array":
                schema = schema["items"]
            elif "oneOf" in schema or "allOf" in schema:
                schema = (schema.get("oneOf") or schema["allOf"])[0]
            else:
                return schema

    def field(self, name: str):
        schema, field = name.split(".")
        return self.whole(self.schemas[schema]["properties"][field])


@pytest.fixture(scope="module")
def described(tmp_path_factory) -> Described:
    path = tmp_path_factory.mktemp("design") / "api.json"
    call_command("spectacular", "--validate", "--fail-on-warn", "--format=openapi-json", file=path)
    return Described(path.read_text())


def test_every_call_of_the_design_is_there(described):
    for path, methods in DESIGNED.items():
        assert methods <= set(described.paths[path]), path


@pytest.mark.parametrize("name", SUCCESSES)
def test_calls_succeed_with_the_status_of_the_design(described, name):
    found = {status for status in described.call(name)["responses"] if status < "300"}

    assert found == SUCCESSES[name]


@pytest.mark.parametrize("name", SENT)
def test_bodies_have_the_fields_of_the_design(described, name):
    body = described.call(name)["requestBody"]["content"]["application/json"]["schema"]

    assert set(described.fields(body)) >= SENT[name]


@pytest.mark.parametrize("name", ANSWERED)
def test_answers_have_the_fields_of_the_design(described, name):
    responses = described.call(name)["responses"]
    for status in {"200", "201", "202"} & set(responses):
        shape = responses[status]["content"]["application/json"]["schema"]
        assert set(described.fields(shape)) >= ANSWERED[name]
        is_list = name in {"get orders/", "get sets/", "get accounts/", "get mode/"}
        assert (shape.get("type") == "array") == (is_list or "{underlying}" in name)


@pytest.mark.parametrize("name", NESTED)
def test_what_is_inside_has_the_fields_of_the_design(described, name):
    assert set(described.field(name)["properties"]) >= NESTED[name]


@pytest.mark.parametrize("name", WORDS)
def test_words_are_those_of_the_design(described, name):
    assert set(described.field(name)["enum"]) == WORDS[name]


def test_everything_that_acts_takes_a_key(described):
    found = {}
    for path, item in described.paths.items():
        if "post" in item and not path.startswith(("auth/", "hooks/")):  # with keys of their own
            names = {one["name"]: one for one in item["post"].get("parameters", ())}
            key = names["Idempotency-Key"]
            assert (key["in"], key["schema"]["format"]) == ("header", "uuid")
            found[path] = key.get("required", False)

    assert found == KEYED


def test_lists_have_pages_and_orders_have_the_filters_of_the_design(described):
    cursors = {"orders/": "before", "sets/": "before", "accounts/": "after"}
    for path, cursor in cursors.items():
        call = described.call(f"get {path}")
        names = {one["name"] for one in call["parameters"]}
        assert {cursor, "limit"} <= names
        assert "Link" in call["responses"]["200"]["headers"]
    orders = {one["name"] for one in described.call("get orders/")["parameters"]}
    assert orders >= FILTERS


def test_refusals_say_when_to_come_again(described):
    for path, item in described.paths.items():
        for call in item.values():
            header = call["responses"]["429"]["headers"]["Retry-After"]
            assert header["required"], path


def test_no_credential_leaves_or_enters(described):
    secrets = {"app_key", "app_secret", "secret", "number", "hash_value", "token", "refresh_token"}
    fields = {name for one in described.schemas.values() for name in one.get("properties", ())}

    assert fields.isdisjoint(secrets)
    assert {"access", "password", "otp"} <= fields
