"""The natural price at the door: remembered, asked for once, or not known."""

import time
from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.models import AuditEvent
from orders.selectors import chains
from strategies.domain.symbols import parse_option
from tests.integration.orders.hands import refused

pytestmark = pytest.mark.usefixtures("prices")
FAR = Decimal("4.95")


@pytest.fixture
def unseen(condor, prices):
    """A condor that nobody has looked at."""
    prices.client.flushall()
    return condor


def test_a_chain_that_was_just_looked_at_saves_the_click_a_question(fleet, quotes_asked):
    far_off = fleet.condor(limit=FAR)
    looked = quotes_asked()

    fleet.create(far_off, confirm=[])

    assert quotes_asked() == looked
    assert set(refused(fleet, replace(far_off, limit=Decimal("0.05")))) == {"PRICE_AWAY"}
    assert quotes_asked() == looked


def test_a_price_nobody_looked_at_is_asked_for_once_and_remembered(fleet, unseen, quotes_asked):
    for _ in range(3):
        refused(fleet, unseen)

    assert quotes_asked() == 1


def test_a_price_of_a_minute_ago_is_asked_for_again(fleet, quotes_asked, prices):
    ticket = fleet.shares(limit=Decimal(1000))
    refused(fleet, ticket)
    for key in prices.client.keys("quotes:*"):
        for symbol, text in prices.client.hgetall(key).items():
            bid, ask, at = text.split()
            prices.client.hset(key, symbol, b"%b %b %.3f" % (bid, ask, float(at) - 61))

    refused(fleet, ticket)

    assert quotes_asked() == 2


def test_what_the_agent_confirmed_asks_nobody_and_is_recorded(fleet, unseen, quotes_asked):
    order = fleet.create(unseen, confirm=["PRICE_AWAY"])

    assert quotes_asked() == 0
    (created,) = AuditEvent.objects.filter(subject=f"complexorder:{order.pk}")
    assert created.actor == "agent"
    assert list(created.data["overridden"]) == ["PRICE_AWAY"]
    assert "no quote" in created.data["overridden"]["PRICE_AWAY"]


def test_confirming_where_nothing_objects_records_nothing(fleet):
    order = fleet.create(fleet.shares(), confirm=["PRICE_AWAY", "DUPLICATE_ORDER"])

    (created,) = AuditEvent.objects.filter(subject=f"complexorder:{order.pk}")
    assert created.data == {}


def test_without_the_broker_the_price_cannot_be_judged_and_that_is_said(fleet, unseen, settings):
    settings.BROKER_URL = "https://127.0.0.1:9"

    assert "no quote" in refused(fleet, unseen)["PRICE_AWAY"]
    assert fleet.create(unseen, confirm=["PRICE_AWAY"]).status == "READY"


def test_a_broker_that_hangs_holds_the_click_up_for_two_seconds_at_most(fleet, unseen, broker):
    broker.fault("delay", path="/quotes", delay_ms=10_000)

    began = time.monotonic()
    assert "no quote" in refused(fleet, unseen)["PRICE_AWAY"]

    assert 1.5 < time.monotonic() - began < 3


def test_without_the_cache_the_broker_is_asked_and_the_click_goes_on(fleet, settings, quotes_asked):
    settings.CACHE_URL = "redis://127.0.0.1:9/0"
    ticket = fleet.condor(limit=FAR)
    asked = quotes_asked()

    fleet.create(ticket, confirm=[])
    fleet.create(ticket, confirm=["DUPLICATE_ORDER"])

    assert quotes_asked() == asked + 2


def test_a_cache_that_hangs_costs_the_click_its_short_patience_once(fleet, condor, prices):
    prices.pause()
    try:
        began = time.monotonic()
        assert fleet.create(condor, confirm=["PRICE_AWAY"]).status == "READY"
        took = time.monotonic() - began
    finally:
        prices.go_on()

    assert took < 0.6


def test_quotes_are_kept_as_plain_text_and_not_for_long(fleet, prices):
    fleet.condor()

    (key,) = prices.client.keys("quotes:PAPER:SPXW*")
    assert 0 < prices.client.ttl(key) <= 900
    assert all(len(text.split()) == 3 for text in prices.client.hgetall(key).values())


def test_an_option_that_nobody_offers_has_no_price(fleet, condor, prices):
    day = parse_option(condor.legs[0].symbol).expiration
    chains.chain("SPX", day)
    (key,) = prices.client.keys("quotes:PAPER:SPXW*")
    prices.client.hset(key, condor.legs[0].symbol, f"- - {time.time():.3f}")

    assert "no quote" in refused(fleet, condor)["PRICE_AWAY"]
