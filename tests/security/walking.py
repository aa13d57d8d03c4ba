"""Every address of the site, with real rows behind its parameters, and what a walk may change."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone

from accounts.models import Alarm, LoginAttempt, Passkey, Receiver, RefreshRun, UserSession
from accounts.services.alarms import raise_alarm
from orders.models import SavedOrder
from tests.integration.orders.leaving import Way, enter
from tests.support.fleet import Fleet
from tests.support.hooking import make_program
from tests.web.leaving import leave_over
from tests.web.losing import ask

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
OURS = ("accounts", "orders")


@dataclass(frozen=True, slots=True)
class Place:
    """One address: the view that answers it, and what stands for it in a failed test."""

    address: str
    view: Callable[..., Any]
    name: str
    is_api: bool
    is_admin: bool

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class World:
    """Rows of every kind that an address names."""

    fleet: Fleet
    values: dict[str, Any]

    @property
    def secrets(self) -> list[bytes]:
        """Return words that only somebody signed in may read."""
        names = [account.alias for account in self.fleet.accounts]
        return [word.encode() for word in [*names, *(one.label for one in self.fleet.logins)]]


def settle(fleet: Fleet) -> World:
    """Trade until there is a row of every kind: a working, an unknown and a left-over order."""
    way = enter(fleet, fleet.condor(2))
    day = way.placed_set.order.expiration
    way.open()
    working = fleet.broadcast(fleet.shares(10, limit=Decimal("1.00")))
    fleet.broker.fault("drop_after", method="POST", account=fleet.accounts[0].hash_value)
    (lost, *_) = fleet.children(fleet.broadcast(fleet.shares(3)))
    assert lost.status == "UNKNOWN"
    ask(lost, "1234")
    values = {**_rows_beside(fleet), **_rows_of(way), "order_id": working.pk, "child_id": lost.pk}
    return World(fleet, {**values, **_words(day)})


def _rows_of(way: Way) -> dict[str, Any]:
    return {"set_id": way.placed_set.pk, "step_id": leave_over(way, 1).pk}


def _rows_beside(fleet: Fleet) -> dict[str, Any]:
    now, login = timezone.now(), fleet.logins[0]
    picture = b64encode(b"a picture").decode()
    attempt = LoginAttempt.objects.create(login=login, began_at=now, screenshot=picture)
    raise_alarm("A_TEST", "a test", "A test says so.", now=now)
    saved = SavedOrder.objects.create(agent=fleet.agent, name="Mine", ticket={}, number=1)
    key = Passkey.objects.create(
        user=fleet.agent, name="Mine", credential_id="AAAA", public_key=b"", created_at=now
    )
    hook = make_program(fleet.agent).hook
    receiver = Receiver.objects.create(name="ops", channel="WEBHOOK", url="https://x.example/in")
    run = RefreshRun.objects.create(asked_at=now, asked_by="agent", accounts=[], calls=0)
    return {
        "account_id": fleet.accounts[0].pk,
        "login_id": login.pk,
        "attempt_id": attempt.pk,
        "alarm_id": Alarm.objects.latest("pk").pk,
        "saved_id": saved.pk,
        "run_id": run.pk,
        "passkey_id": key.pk,
        "hook_id": hook.pk,
        "receiver_id": receiver.pk,
    }


def _words(day: Any) -> dict[str, Any]:
    return {
        "kind": "csv",
        "name": "stocks",
        "number": "1234",
        "underlying": "SPX",
        "expiration": day,
        "path": "nothing/",
        "url": "nothing/",
        "app_label": "accounts",
        "object_id": 1,
        "content_type_id": 1,
    }


def every_place(values: dict[str, Any]) -> list[Place]:
    """List all addresses of the resolver, each proved to lead to its own view."""
    places = list(_walk(get_resolver().url_patterns, "/", values, ""))
    wrong = [one.address for one in places if resolve(one.address).func is not one.view]
    assert wrong == []
    return places


def _walk(
    patterns: Sequence[Any], before: str, values: dict[str, Any], space: str
) -> Iterator[Place]:
    for pattern in patterns:
        address = before + _filled(str(pattern.pattern), before, values)
        if isinstance(pattern, URLResolver):
            inner = pattern.namespace or space
            yield from _walk(pattern.url_patterns, address, values, inner)
        elif isinstance(pattern, URLPattern):
            is_api, is_admin = address.startswith("/api/"), space == "admin"
            yield Place(address, pattern.callback, pattern.name or "", is_api, is_admin)


def _filled(route: str, before: str, values: dict[str, Any]) -> str:
    """Put rows into a route, be it a path or an expression."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name == "pk":
            kinds = {"accounts/": "account_id", "sets/": "set_id", "orders/": "order_id"}
            name = next(kinds[kind] for kind in kinds if (before + route).find(kind) >= 0)
        return str(values[name])

    return PARAMETER.sub(value, route).replace("\\", "").strip("^$").replace("(?:", "").rstrip("Z")


def visit(client: Client, place: Place, method: str, body: dict[str, Any] | None = None) -> Any:
    """Ask for an address as a browser or a program does."""
    if method == "GET":
        return client.get(place.address)
    sent: dict[str, Any] = {"data": body or {}}
    if place.is_api:
        sent["content_type"] = "application/json"
    return getattr(client, method.lower())(place.address, **sent)


def everything() -> dict[str, str]:
    """Return a digest of each of our tables: two are the same where nothing was changed.

    Sessions are left out: that somebody used one is written beside it, whatever he looked at.
    """
    all_models = [model for app in OURS for model in apps.get_app_config(app).get_models()]
    models = [model for model in all_models if model is not UserSession]
    return {model.__name__: _digest(model) for model in models}


def _digest(model: Any) -> str:
    # Without what is sealed: the columns beside it say when it was written.
    plain = [field.attname for field in model._meta.concrete_fields if not _is_sealed(field)]
    rows = sorted(repr(row) for row in model.objects.values_list(*plain))
    return sha256("\n".join(rows).encode()).hexdigest()


def _is_sealed(field: Any) -> bool:
    return type(field).__name__ == "EncryptedTextField"
