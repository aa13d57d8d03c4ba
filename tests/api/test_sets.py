"""Placed order sets in the API: their shape, their filters, what closing costs now."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.services.balances import sync_accounts
from orders.models import ExitStep, PlacedOrderSet
from tests.api.caller import Caller, next_page, problem_of


@pytest.fixture
def condors(fleet):
    """A set of two condors in three accounts, with what is held."""
    order = fleet.broadcast(replace(fleet.condor(), contracts=2))
    fleet.poll()
    sync_accounts(gateway=fleet.gateway, now=timezone.now())
    return PlacedOrderSet.objects.get(order=order)


def leave_one_of(symbol, condors, fleet):
    """Let the first account be closing, with one contract of a leg left; return its step."""
    fleet.broker.positions({fleet.accounts[0].hash_value: {symbol: -1}})
    sync_accounts(gateway=fleet.gateway, now=timezone.now())
    return ExitStep.objects.create(
        placed_order_set=condors,
        account=fleet.accounts[0],
        order=condors.order,
        state="CLOSING",
        residual={symbol: -1},
        read_at=timezone.now(),
    )


def test_a_set_shows_what_is_bookmarked_held_and_left_and_what_closing_costs(
    viewer, fleet, condors
):
    legs = list(condors.order.legs.all())
    body = legs[1].symbol
    step = leave_one_of(body, condors, fleet)

    answer = viewer.get(f"sets/{condors.pk}/")

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["id"], shown["order"], shown["status"]) == (
        condors.pk,
        condors.order_id,
        "CLOSING",
    )
    assert shown["legs"] == [
        {"symbol": leg.symbol, "instruction": leg.instruction, "ratio": 1} for leg in legs
    ]
    first, second, _ = shown["accounts"]
    assert (first["alias"], first["bookmarked"], first["held"]) == (fleet.accounts[0].alias, 2, 1)
    assert (first["residual"], first["residual_legs"]) == (1, {body: -1})
    assert (first["state"], first["step"]) == ("CLOSING", step.pk)
    assert first["legs"][1] == {"symbol": body, "bookmarked": -2, "held": -1}
    assert (second["held"], second["residual"], second["residual_legs"]) == (2, 0, {})
    assert (second["state"], second["step"], second["is_flat"]) == ("", None, False)
    assert Decimal(second["entry_price"]) > 0
    assert shown["exit"]["id"] == condors.order_id
    assert (shown["flat_accounts"], shown["accounts_total"], shown["flat_at"]) == (0, 3, None)
    prices = shown["exit_prices"]
    assert prices["price_effect"] == "NET_DEBIT"
    assert Decimal(prices["natural"]) >= Decimal(prices["mid"]) > 0
    assert Decimal(prices["natural"]) % Decimal("0.05") == 0


def test_the_list_asks_for_no_prices(viewer, fleet, condors):
    since = len(fleet.broker.journal())

    (listed,) = viewer.get("sets/").json()

    assert len(fleet.broker.journal()) == since
    nothing_known = {"price_effect": "NET_DEBIT", "natural": None, "mid": None}
    assert (listed["id"], listed["exit_prices"]) == (condors.pk, nothing_known)
    assert set(listed) == set(viewer.get(f"sets/{condors.pk}/").json())


def test_the_list_shows_the_prices_that_somebody_looked_at(viewer, fleet, condors, queue, settings):
    settings.CACHE_URL = queue.url
    shown = viewer.get(f"sets/{condors.pk}/").json()["exit_prices"]
    since = len(fleet.broker.journal())

    (listed,) = viewer.get("sets/").json()

    assert listed["exit_prices"] == shown
    assert shown["mid"] is not None
    assert len(fleet.broker.journal()) == since


def test_the_list_is_turned_page_by_page(viewer, fleet, condors):
    newer = fleet.broadcast(fleet.shares())
    fleet.poll()

    first = viewer.get("sets/", limit=1, open="true")

    assert [one["order"] for one in first.json()] == [newer.pk]
    second = viewer.get(next_page(first))
    assert [one["id"] for one in second.json()] == [condors.pk]
    assert next_page(second) == ""


def test_a_flat_set_has_no_price_and_is_left_out_of_the_open_ones(viewer, condors):
    PlacedOrderSet.objects.update(flat_at=timezone.now())

    shown = viewer.get(f"sets/{condors.pk}/").json()

    assert (shown["status"], shown["exit_prices"]) == ("FLAT", None)
    assert shown["flat_at"] is not None
    assert [one["id"] for one in viewer.get("sets/").json()] == [condors.pk]
    assert viewer.get("sets/", open="true").json() == []


@pytest.mark.parametrize(
    "query",
    [{"opne": "true"}, {"open": "maybe"}, {"limit": "0"}, {"limit": ["1", "2"]}, {"before": "x"}],
)
def test_a_query_that_makes_no_sense_is_refused(viewer, query):
    problem_of(viewer.get("sets/", **query), 400, "invalid")


@pytest.mark.parametrize("pk", [404, 10**30])
def test_a_set_that_is_not_there_is_not_found(viewer, pk):
    problem_of(viewer.get(f"sets/{pk}/"), 404, "not_found")


def test_sets_are_for_users_only(db):
    problem_of(Caller().get("sets/"), 401, "not_authenticated")
