"""The API describes itself completely, and as the standard wants it."""

import json

import pytest
from django.core.management import call_command

from tests.api.caller import PROBLEM, Caller


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """The description; a warning or an error in it fails."""
    path = tmp_path_factory.mktemp("schema") / "api.json"
    call_command("spectacular", "--validate", "--fail-on-warn", "--format=openapi-json", file=path)
    return json.loads(path.read_text())


def test_every_call_is_described(described):
    calls = {path.removeprefix("/api/v1/"): set(item) for path, item in described["paths"].items()}

    assert calls == {
        "auth/token/": {"post"},
        "auth/refresh/": {"post"},
        "auth/logout/": {"post"},
        "orders/": {"get", "post"},
        "orders/{id}/": {"get"},
        "orders/{id}/cancel/": {"post"},
        "orders/{id}/replace/": {"post"},
        "orders/{id}/retry-failed/": {"post"},
        "orders/{id}/ladder/": {"post", "delete"},
        "expirations/{underlying}/": {"get"},
        "chains/{underlying}/{expiration}/": {"get"},
        "sets/": {"get"},
        "sets/{id}/": {"get"},
        "sets/{id}/exit/": {"post"},
        "close-everything/": {"post"},
        "accounts/": {"get"},
        "accounts/{id}/": {"patch"},
        "accounts/refresh/": {"post"},
        "accounts/refresh/{run_id}/": {"get"},
        "mode/": {"get", "post"},
        "status/": {"get"},
        "sync/{name}/": {"post"},
        "hooks/saved-order/": {"post"},
    }


def test_every_call_says_how_it_refuses(described):
    for item in described["paths"].values():
        for call in item.values():
            refusals = {status for status in call["responses"] if status >= "400"}
            assert {"401", "429", "503"} <= refusals
            kinds = {kind for one in refusals for kind in call["responses"][one]["content"]}
            assert kinds == {PROBLEM}


def test_the_body_of_an_order_is_described(described):
    fields = described["components"]["schemas"]["OrderInput"]["properties"]

    assert fields["contracts"]["type"] == "integer"
    assert [kind.get("type") for kind in fields["accounts"]["oneOf"]] == ["string"] + ["object"] * 3


def test_the_key_of_an_order_and_the_filters_of_the_list_are_described(described):
    calls = described["paths"]["/api/v1/orders/"]

    key = next(one for one in calls["post"]["parameters"] if one["name"] == "Idempotency-Key")
    assert (key["in"], key["required"]) == ("header", True)
    filters = {one["name"] for one in calls["get"]["parameters"]}
    assert {"status", "strategy", "underlying", "account", "from", "to"} <= filters


def test_what_proves_a_caller_is_described(described):
    assert set(described["components"]["securitySchemes"]) == {
        "accessToken",
        "pageSession",
        "hookSignature",
    }
    security = described["paths"]["/api/v1/orders/"]["post"]["security"]
    assert security == [{"accessToken": []}, {"pageSession": []}]
    hook = described["paths"]["/api/v1/hooks/saved-order/"]["post"]
    assert hook["security"] == [{"hookSignature": []}]
    assert {} in described["paths"]["/api/v1/auth/token/"]["post"]["security"]


def test_the_description_is_served(db):
    answer = Caller().get("schema/")

    assert answer.status_code == 200
    assert b"openapi: 3.1.0" in answer.content
