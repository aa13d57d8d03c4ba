"""Every address is walked in every role: who may see, who may change, and who may only leave."""

import pytest
from django.test import Client
from rest_framework.permissions import AllowAny

from accounts.decorators import guards_of
from accounts.domain.words import Role
from accounts.models import AuditEvent
from orders.models import AccountOrder, ComplexOrder
from tests.security.walking import Place, World, every_place, everything, visit
from tests.support.make import make_user

# Addresses that strangers are answered; everything else sends them away.
OPEN_PAGES = {"sign-in", "second-step", "sign-out"}
OPEN_CALLS = {"/api/v1/auth/token/", "/api/v1/auth/refresh/", "/api/v1/auth/logout/"}
DESCRIPTION = "/api/v1/schema/"
# Pages that look for themselves: one is asynchronous, one must let a browser ask once more.
OWN_GUARD = {"live-stream", "oauth-callback"}
# Pages on which everybody ends what he himself is signed in with, or keeps it.
OWN_SESSIONS = {"sessions-end", "sessions-end-others", "sessions-stay"}
# Pages that change what belongs to who asks, whatever his role.
HIS_OWN = {"settings", *OWN_SESSIONS}
# A call that proves itself by its signature: to a browser it is closed (tests/api/hooks).
SIGNED = {"hook-saved-order"}
# What only an admin changes.
ADMINS_ONLY = {
    "hook-add",
    "hook-change",
    "receiver-add",
    "receiver-change",
    "sessions-end-user",
}
# Pages that take a POST of everybody who is signed in, or judge what it asks for.
OWN_RULES = {"settings", "modes", "freeze", "prove", *OWN_SESSIONS}
# What everybody changes of himself.
OF_HIMSELF = {
    *HIS_OWN,
    *("prove", "factor-app", "factor-confirm", "factor-gone"),
    *("factor-passkeys", "factor-passkey", "factor-codes"),
}
WRITING = {False: ("POST",), True: ("POST", "PUT", "PATCH", "DELETE")}
REFUSED = {403, 405}
# Reading leaves a trace where a file of the record was taken.
EXPORT = "exported"
# What an order, an exit, a mode and a decision are made of, so that bodies refuse nobody.
BODY = {
    "limit": "1.10",
    "confirm": ["PRICE_AWAY", "DUPLICATE_ORDER"],
    "step": "0.05",
    "every_s": 10,
    "bound": "2.00",
    "scope": "FLEET",
    "mode": "FROZEN",
    "why": "a test says so",
    "to": "on",
}


@pytest.fixture
def places(world) -> list[Place]:
    return every_place(world.values)


def browser_of(world: World, role: Role) -> Client:
    """Sign somebody in; the agent is the one whose rows these are."""
    client = Client(raise_request_exception=False)
    client.force_login(world.fleet.agent if role == Role.AGENT else make_user(role))
    return client


def is_open(place: Place) -> bool:
    is_ours = place.name in OPEN_PAGES or place.address in {*OPEN_CALLS, DESCRIPTION}
    return is_ours or (place.is_admin and place.name in {"login", "logout"})


def test_the_walk_meets_every_kind_of_address(places):
    names = {place.name for place in places}

    assert {"desk", "exit", "order-life", "record-file", "account-edit", "login"} <= names
    assert sum(place.is_api for place in places) >= 24
    assert len(places) >= 110


def test_every_view_has_a_guard(places):
    bare = [
        place.address
        for place in places
        if not (is_open(place) or place.is_admin or place.name in OWN_GUARD)
        and not _is_guarded(place)
    ]
    assert bare == ["/api/nothing/"]


def _is_guarded(place: Place) -> bool:
    if place.is_api:
        kinds = getattr(getattr(place.view, "cls", None), "permission_classes", [AllowAny])
        return bool(kinds) and AllowAny not in kinds
    return "signed_in" in guards_of(place.view)


def test_a_view_that_takes_what_changes_something_says_who_may(places, client):
    """A page that answers a POST of everybody signed in has to be named above."""
    client.force_login(make_user(Role.VIEWER))
    loose = {
        place.name
        for place in places
        if not (place.is_api or place.is_admin or is_open(place) or place.name in OWN_GUARD)
        and not guards_of(place.view) & {"may_trade", "may_exit", "may_sync", "may_administer"}
        and client.post(place.address).status_code != 405
    }
    assert loose == OWN_RULES | OF_HIMSELF


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_strangers_get_nothing_and_change_nothing(places, world, method):
    before, stranger, wrong = everything(), Client(), []
    for place in places:
        answer = visit(stranger, place, method, BODY)
        sent_away = answer.status_code in {401, 403, 405} or (
            answer.status_code == 302 and "/sign-in/" in answer["Location"]
        )
        if place.is_admin:
            sent_away = sent_away or "/admin/login/" in answer.get("Location", "")
        is_kept_out = sent_away or is_open(place) or place.address == "/api/nothing/"
        if place.name in OWN_GUARD:
            is_kept_out = answer.status_code in {200, 204, 405}
        shows = [word for word in world.secrets if word in answer.content]
        if not is_kept_out or shows or "no-store" not in answer["Cache-Control"]:
            wrong.append((place.address, answer.status_code, shows, answer.get("Cache-Control")))
    assert wrong == []
    assert everything() == before


@pytest.mark.parametrize("role", list(Role))
def test_reading_changes_nothing_breaks_nothing_and_is_kept_by_no_cache(places, world, role):
    client, wrong = browser_of(world, role), []
    before, last = everything(), AuditEvent.objects.latest("pk").pk
    for place in places:
        answer = visit(client, place, "GET")
        if answer.status_code >= 500 or "no-store" not in answer["Cache-Control"]:
            wrong.append((place.address, answer.status_code, answer.get("Cache-Control")))
    assert wrong == []
    assert changed(before) <= {"AuditEvent"}
    assert set(AuditEvent.objects.filter(pk__gt=last).values_list("kind", flat=True)) <= {EXPORT}


def test_who_may_only_look_changes_nothing_anywhere(places, world):
    client, wrong = browser_of(world, Role.VIEWER), []
    before = everything()
    for place in places:
        if is_open(place) or place.name in OF_HIMSELF or place.address == "/api/nothing/":
            continue
        for method in WRITING[place.is_api]:
            answer = visit(client, place, method, BODY)
            is_away = place.is_admin and "/admin/login/" in answer.get("Location", "")
            if answer.status_code not in REFUSED and not is_away and place.name not in OWN_GUARD:
                wrong.append((method, place.address, answer.status_code))
    assert wrong == []
    assert changed(before) == set()


def test_who_may_only_exit_closes_and_cancels_and_nothing_else(places, world):
    client, wrong = browser_of(world, Role.EXIT_ONLY), []
    before, opening = everything(), opened()
    for place in places:
        if is_open(place) or place.name in OF_HIMSELF or place.address == "/api/nothing/":
            continue
        is_way_out = "may_exit" in guards_of(place.view) or place.name in OWN_RULES
        for method in WRITING[place.is_api]:
            answer = visit(client, place, method, BODY)
            is_away = place.is_admin and "/admin/login/" in answer.get("Location", "")
            is_kept_out = answer.status_code in REFUSED or is_away or place.name in OWN_GUARD
            if answer.status_code >= 500 or not (is_kept_out or is_way_out or place.is_api):
                wrong.append((method, place.address, answer.status_code))
    assert wrong == []
    assert opened() == opening
    assert changed(before) <= {
        "AuditEvent",
        "TradingMode",
        "ComplexOrder",
        "AccountOrder",
        "OrderLeg",
        "ExitStep",
        "PlacedOrderSet",
        "PriceLadder",
    }


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_who_may_trade_is_kept_out_of_nothing_and_nothing_breaks(places, world, role):
    client, wrong = browser_of(world, role), []
    for place in places:
        if is_open(place) or place.is_admin or place.name in OWN_GUARD | SIGNED:
            continue
        if role is Role.AGENT and place.name in ADMINS_ONLY:
            assert visit(client, place, "POST").status_code == 403
            continue
        for method in ("GET", *WRITING[place.is_api]):
            answer = visit(client, place, method)
            if answer.status_code >= 500 or answer.status_code in {401, 403}:
                wrong.append((method, place.address, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EXIT_ONLY, Role.AGENT])
def test_the_administration_is_closed_to_every_other_role(places, world, role):
    client, before = browser_of(world, role), everything()
    rooms = [place for place in places if place.is_admin and place.name != "logout"]

    answers = {
        visit(client, place, method, BODY).status_code
        for place in rooms
        for method in ("GET", "POST")
    }

    assert len(rooms) > 30
    assert answers == {403}
    assert everything() == before


def test_an_admin_finds_nothing_broken_in_the_administration(places, world):
    client = browser_of(world, Role.ADMIN)
    rooms = [place for place in places if place.is_admin]

    for method in ("GET", "POST"):
        broken = [place for place in rooms if visit(client, place, method).status_code >= 500]
        assert broken == []


def test_what_only_an_admin_changes_says_so(places):
    said = {place.name for place in places if "may_administer" in guards_of(place.view)}
    assert said == ADMINS_ONLY


def test_a_saved_order_of_somebody_else_is_not_there(places, world):
    client = browser_of(world, Role.ADMIN)
    mine = [place for place in places if place.name in {"saved-load", "saved-edit", "saved-delete"}]

    found = {
        visit(client, place, method).status_code for place in mine for method in ("GET", "POST")
    }

    assert len(mine) == 3
    assert found <= {404, 405}


def changed(before: dict[str, str]) -> set[str]:
    """Name the tables that are not as they were."""
    return {name for name, digest in everything().items() if digest != before[name]}


def opened() -> tuple[list[object], list[object]]:
    """Return the broadcasts that open, and what was ever to be sent of them."""
    orders = ComplexOrder.objects.filter(purpose="OPEN").order_by("pk")
    children = AccountOrder.objects.filter(order__purpose="OPEN").order_by("pk")
    return list(orders.values_list("pk", "limit")), list(children.values_list("pk", "attempt"))
