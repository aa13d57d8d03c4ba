"""The programs in docs/hooks.md sign and verify as the product does."""

import json
import re
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest
import responses

from accounts.domain.signing import is_signed, new_secret, signature

DOCS = Path(__file__).resolve().parents[2] / "docs" / "hooks.md"


def program(name: str) -> ModuleType:
    """Run a program of the docs as a module."""
    found = re.search(rf"```python\n(# {name}\n.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    module = ModuleType(name.removesuffix(".py"))
    exec(compile(found[1], name, "exec"), module.__dict__)  # noqa: S102
    return module


@responses.activate
def test_what_signs_is_let_in():
    address, secret, hook = "https://desk.example.com", new_secret(), str(uuid4())
    responses.post(f"{address}/api/v1/hooks/saved-order/", json={"id": 1}, status=201)

    program("sign.py").place(address, hook, secret, "Mine")

    sent = responses.calls[0].request
    assert isinstance(sent.body, bytes)
    assert json.loads(sent.body) == {"saved_order": "Mine"}
    assert sent.headers["Tradeswim-Hook"] == hook
    assert is_signed(
        sent.headers["Tradeswim-Signature"],
        secret,
        timestamp=int(sent.headers["Tradeswim-Timestamp"]),
        delivery=sent.headers["Tradeswim-Delivery"],
        body=sent.body,
    )


@pytest.mark.parametrize(
    ("change", "is_ours"),
    [
        ({}, True),
        ({"body": b"{ }"}, False),
        ({"delivery": "another"}, False),
        ({"secret": "another"}, False),
        ({"age_s": 600}, False),
    ],
)
def test_what_verifies_takes_ours_alone(change, is_ours):
    module, secret = program("verify.py"), new_secret()
    timestamp = int(module.time.time()) - change.get("age_s", 0)
    signed = signature(secret, timestamp=timestamp, delivery="a delivery", body=b"{}")
    headers = {
        "Tradeswim-Timestamp": str(timestamp),
        "Tradeswim-Delivery": change.get("delivery", "a delivery"),
        "Tradeswim-Signature": signed,
    }

    given = change.get("secret", secret)
    assert module.is_ours(given, headers, change.get("body", b"{}")) == is_ours
