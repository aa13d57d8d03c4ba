"""A program that calls the API, and the bodies it sends."""

import json
import re
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from orders.domain.guards import Guard
from orders.models import AccountOrder, ComplexOrder, OrderLeg
from tests.support.make import PASSWORD
from tradeswim.api_codes import FAULTS, codes_of

Answer = Any  # the test client adds json() to responses, which no type says
PROBLEM = "application/problem+json"


@dataclass
class Caller:
    """Signs in as a user and calls with his access token."""

    user: User = field(default_factory=User)
    client: Client = field(default_factory=Client)
    access: str = ""

    def sign_in(self) -> Answer:
        body = {"username": self.user.username, "password": PASSWORD}
        answer = self.post("auth/token/", body)
        if answer.status_code == 200:
            self.access = answer.json()["access"]
        return answer

    def get(self, path: str, **query: Any) -> Answer:
        return self.client.get(f"/api/v1/{path}", query, headers=self._headers())

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self._send("post", path, body, headers)

    def patch(self, path: str, body: Any) -> Answer:
        return self._send("patch", path, body, {})

    def delete(self, path: str) -> Answer:
        return self._send("delete", path, "", {})

    def order(self, body: Any, *, key: Any = None) -> Answer:
        """Broadcast, under a fresh key unless one is given."""
        return self.post("orders/", body, **{"Idempotency-Key": str(key or uuid4())})

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return getattr(self.client, method)(
            f"/api/v1/{path}",
            text,
            content_type="application/json",
            headers={**self._headers(), **headers},
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"} if self.access else {}


def may_read(caller: Caller) -> bool:
    return bool(caller.get("orders/").status_code == 200)


def next_page(answer: Answer) -> str:
    """Return where a list goes on, as Caller.get() takes it; empty at its end."""
    assert answer.status_code == 200, answer.content
    found = re.fullmatch(r'</api/v1/(.+)>; rel="next"', answer.get("Link", ""))
    return found[1] if found else ""


def problem_of(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a problem of this kind; return it."""
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM), answer.content
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    assert (body["status"], body["code"]) == (status, code)
    assert code in codes_of(status), f"{code} is missing in tradeswim/api_codes.py"
    return body


def faults_of(answer: Answer) -> set[tuple[str, str]]:
    """Return field and code of everything that an answer calls invalid."""
    errors = answer.json()["errors"]
    codes = {one["code"] for one in errors}
    is_one_guard = len(codes) == 1 and codes <= set(Guard)
    problem_of(answer, 400, codes.pop() if is_one_guard else "invalid")
    assert all(one["message"] for one in errors)
    assert {one["code"] for one in errors} <= {*FAULTS, *Guard}, "missing in tradeswim/api_codes.py"
    return {(one["field"], one["code"]) for one in errors}


def assert_nothing_written() -> None:
    """No order, no leg, no child, no word about one."""
    for model in (ComplexOrder, OrderLeg, AccountOrder):
        assert not model.objects.exists()
    assert not AuditEvent.objects.filter(subject__contains="order").exists()


def far_off() -> date:
    return timezone.now().date() + timedelta(days=60)


def option(strike: int, side: str = "P", *, root: str = "SPXW", on: date | None = None) -> str:
    return f"{root:<6}{on or far_off():%y%m%d}{side}{strike * 1000:08d}"


def leg(symbol: str, instruction: str, ratio: int = 1) -> dict[str, Any]:
    return {"symbol": symbol, "instruction": instruction, "ratio": ratio}


def shares(**changes: Any) -> dict[str, Any]:
    """Buy ten shares of AAPL for at most 1.50.

    No broker quotes the prices of these bodies, and many are sent more than once.
    """
    body = {
        "strategy": "EQUITY",
        "legs": [leg("AAPL", "BUY")],
        "order_type": "LIMIT",
        "limit": "1.50",
        "contracts": 10,
        "confirm": ["PRICE_AWAY", "DUPLICATE_ORDER"],
    }
    return {**body, **changes}


def put(**changes: Any) -> dict[str, Any]:
    """Buy a put for 1.50."""
    body = shares(strategy="SINGLE_OPTION", legs=[leg(option(6000), "BUY_TO_OPEN")], contracts=1)
    return {**body, **changes}


def spread(**changes: Any) -> dict[str, Any]:
    """Sell a five-wide put spread for 1.50."""
    legs = [leg(option(6000), "SELL_TO_OPEN"), leg(option(5995), "BUY_TO_OPEN")]
    body = put(strategy="VERTICAL", legs=legs, price_effect="NET_CREDIT")
    return {**body, **changes}


def condor(**changes: Any) -> dict[str, Any]:
    """Sell a five-wide iron condor for 1.50."""
    body = spread(strategy="IRON_CONDOR")
    body["legs"] += [leg(option(6500, "C"), "SELL_TO_OPEN"), leg(option(6505, "C"), "BUY_TO_OPEN")]
    return {**body, **changes}


def with_leg(body: dict[str, Any], index: int, **changes: Any) -> dict[str, Any]:
    """Return the body with one leg changed."""
    changed = deepcopy(body)
    changed["legs"][index].update(changes)
    return changed


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}
