"""The guards at the door where every order is made: what they read, when, and what they cost."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from django.utils import timezone

from accounts.domain.limits import LimitName
from accounts.models import Account, AuditEvent, Limit
from accounts.services.limits import set_limit
from orders.domain.errors import BadTicket, GuardRefused
from orders.models import AccountOrder, ComplexOrder
from orders.selectors import chains
from strategies.domain.catalog import share_order
from strategies.domain.reversal import reverse
from strategies.domain.symbols import parse_option
from strategies.domain.tickets import Instruction, OrderType
from tests.integration.orders.hands import force, hit

pytestmark = pytest.mark.usefixtures("prices")
LOW, FAR = Decimal("0.05"), Decimal("4.95")


@pytest.fixture
def prices(redis_server, settings):
    """An empty cache for quotes."""
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url
    return redis_server


@pytest.fixture
def unseen(condor, prices):
    """A condor that nobody has looked at."""
    prices.client.flushall()
    return condor


@pytest.fixture
def quotes_asked(broker):
    """Count how often the broker was asked for quotes from now on."""
    seen = broker.journal()[-1]["seq"]
    return lambda: sum(row["path"].endswith("/quotes") for row in broker.journal(seen))


def refused(fleet, ticket, *, confirm=(), **more) -> dict[str, str]:
    """Let a click be refused; return code and words of every objection."""
    before = ComplexOrder.objects.count(), AuditEvent.objects.count()
    with pytest.raises(GuardRefused) as error:
        fleet.create(ticket, confirm=confirm, **more)
    assert (ComplexOrder.objects.count(), AuditEvent.objects.count()) == before
    return {problem.code: problem.message for problem in error.value.problems}


def limit(name, value):
    set_limit(name=LimitName(name), value=Decimal(value), actor="admin", now=timezone.now())


# --- prices ---------------------------------------------------------------------------------------


def test_a_chain_that_was_just_looked_at_saves_the_click_a_question(fleet, quotes_asked):
    far_off = fleet.condor(limit=FAR)
    looked = quotes_asked()

    fleet.create(far_off, confirm=[])

    assert quotes_asked() == looked
    assert set(refused(fleet, replace(far_off, limit=LOW))) == {"PRICE_AWAY"}
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


# --- duplicates -----------------------------------------------------------------------------------


def test_the_same_order_in_the_same_account_within_a_minute_must_be_confirmed(fleet):
    one, two, _ = fleet.accounts
    first = fleet.create(fleet.shares(), accounts=[one])

    words = refused(fleet, fleet.shares(), accounts=[one, two])["DUPLICATE_ORDER"]

    assert one.alias in words
    assert two.alias not in words
    assert fleet.create(fleet.shares(), accounts=[two], confirm=[]).pk != first.pk
    assert fleet.create(fleet.shares(11), accounts=[one], confirm=[]).pk
    assert fleet.create(fleet.shares(), confirm=["DUPLICATE_ORDER"]).pk


@pytest.mark.parametrize(
    ("status", "is_duplicate"),
    [
        ("READY", True),
        ("SUBMITTING", True),
        ("UNKNOWN", True),
        ("WORKING", True),
        ("FILLED", True),
        ("CANCELED", True),
        ("FAILED_TO_PLACE", False),
        ("REJECTED", False),
        ("SKIPPED", False),
    ],
)
def test_an_order_that_came_to_nothing_is_no_duplicate(fleet, status, is_duplicate):
    order = fleet.create(fleet.shares(), accounts=fleet.accounts[:1])
    force(*fleet.children(order), status=status)

    if is_duplicate:
        assert "DUPLICATE_ORDER" in refused(fleet, fleet.shares())
    else:
        fleet.create(fleet.shares(), confirm=[])


def test_after_a_minute_or_what_the_admin_says_it_is_no_duplicate(fleet):
    order = fleet.create(fleet.shares())
    AccountOrder.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    fleet.create(fleet.shares(), confirm=[])

    AccountOrder.objects.exclude(order=order).update(
        created_at=timezone.now() - timedelta(seconds=61)
    )
    limit("DUPLICATE_WINDOW_S", 90)
    assert "DUPLICATE_ORDER" in refused(fleet, fleet.shares())
    limit("DUPLICATE_WINDOW_S", 0)
    fleet.create(fleet.shares(), confirm=[])


def test_an_account_of_another_size_does_not_stand_for_its_neighbour(fleet):
    one, two, _ = fleet.accounts
    Account.objects.filter(pk=two.pk).update(multiplier=2)
    fleet.create(fleet.shares(10), accounts=[two])  # 20 there

    fleet.create(fleet.shares(20), accounts=[one], confirm=[])  # 20 here
    words = refused(fleet, fleet.shares(10), accounts=[two])["DUPLICATE_ORDER"]

    assert two.alias in words


def test_exits_are_no_duplicates(fleet):
    sale = fleet.shares(legs=share_order("AAPL", Instruction.SELL).legs)

    fleet.create(sale, confirm=[])
    fleet.create(sale, confirm=[])

    assert ComplexOrder.objects.filter(purpose="CLOSE").count() == 2


def test_a_refused_order_may_be_sent_again_at_once(fleet):
    hit(fleet, "reject")
    order = fleet.broadcast(fleet.shares(), accounts=fleet.accounts[:1])
    fleet.poll()
    assert fleet.statuses(order)[0] in {"REJECTED", "FAILED_TO_PLACE"}

    assert fleet.create(fleet.shares(), accounts=fleet.accounts[:1], confirm=[]).pk


def test_the_same_click_again_finds_its_broadcast_instead_of_a_duplicate(fleet):
    first = fleet.create(fleet.shares(), confirm=[])

    again = fleet.create(fleet.shares(), confirm=[], key=first.idempotency_key)

    assert again == first


def test_what_is_confirmed_is_no_part_of_what_is_asked(fleet, condor):
    key = "3c2a1b2e-6f4f-4dbb-8f0f-1df1a57c1c11"
    refused(fleet, condor, key=key)

    first = fleet.create(condor, confirm=["PRICE_AWAY"], key=key)

    assert fleet.create(condor, confirm=[], key=key) == first
    assert fleet.create(condor, confirm=["PRICE_AWAY", "BUYING_POWER"], key=key) == first


@pytest.mark.django_db(transaction=True)
def test_of_two_clicks_at_the_same_moment_one_is_a_duplicate(fleet):
    begin = threading.Barrier(4)
    outcomes: list[str] = []

    def click() -> None:
        begin.wait()
        try:
            fleet.create(fleet.shares(), confirm=[])
            outcomes.append("created")
        except GuardRefused as error:
            outcomes.extend(problem.code for problem in error.problems)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["DUPLICATE_ORDER"] * 3 + ["created"]
    assert AccountOrder.objects.count() == 3


# --- size, buying power, order type ---------------------------------------------------------------


def test_one_account_over_its_limit_is_left_out_while_the_others_go(fleet):
    Account.objects.filter(pk=fleet.accounts[1].pk).update(multiplier=6)

    order = fleet.create(fleet.condor(100))

    assert fleet.statuses(order) == ["READY", "SKIPPED", "READY"]
    child = fleet.children(order)[1]
    assert (child.reason_code, child.reason) == (
        "MAX_CONTRACTS",
        "600 is more than 500, the most for one account.",
    )


def test_the_limits_of_an_admin_count_from_the_next_click_on(fleet):
    fleet.create(fleet.shares(30))

    limit("MAX_SHARES_PER_BROADCAST", 89)

    words = refused(fleet, fleet.shares(30), confirm=["MAX_CONTRACTS", "DUPLICATE_ORDER"])
    assert "90 shares over all 3 accounts is more than 89" in words["MAX_CONTRACTS"]
    assert "Confirming MAX_CONTRACTS does not help." in words["MAX_CONTRACTS"]


def test_a_limit_that_is_missing_or_senseless_counts_as_its_default(fleet):
    Limit.objects.filter(name="MAX_SHARES_PER_ORDER").delete()
    Limit.objects.filter(name="MAX_SHARES_PER_ACCOUNT").update(value=-1)

    assert fleet.create(fleet.shares(10_000), confirm=[]).status == "READY"
    assert "more than 10,000" in refused(fleet, fleet.shares(10_001))["MAX_CONTRACTS"]


def test_accounts_that_cannot_pay_are_named_before_the_broker_refuses_them(fleet, condor):
    poor = fleet.accounts[2]
    Account.objects.update(buying_power=Decimal(44_000))
    Account.objects.filter(pk=poor.pk).update(buying_power=Decimal(900))
    known = ["PRICE_AWAY"]

    words = refused(fleet, condor, confirm=known)["BUYING_POWER"]

    assert f"{poor.alias} needs $495.00 and has $450.00" in words
    assert fleet.accounts[0].alias not in words
    assert fleet.create(condor, accounts=fleet.accounts[:2], confirm=known).status == "READY"
    assert fleet.create(condor, accounts=[poor], confirm=[*known, "BUYING_POWER"]).status == "READY"


def test_a_market_order_is_priced_by_the_market_where_buying_power_is_known(fleet, quotes_asked):
    fleet.create(fleet.shares(3000), confirm=[])
    assert quotes_asked() == 0  # never read: nobody knows

    Account.objects.update(buying_power=Decimal(10_000))
    assert "BUYING_POWER" in refused(fleet, fleet.shares(2000))
    assert "BUYING_POWER" in refused(fleet, fleet.shares(2001))
    assert quotes_asked() == 1


def test_a_market_order_with_legs_must_be_confirmed(fleet, condor):
    market = replace(condor, order_type=OrderType.MARKET, limit=None)

    assert set(refused(fleet, market)) == {"NO_MARKET_MULTILEG"}
    assert fleet.create(market, confirm=["NO_MARKET_MULTILEG"]).order_type == "MARKET"


def test_everything_that_is_objected_to_is_told_at_once(fleet, condor):
    fleet.create(condor)
    Account.objects.update(buying_power=Decimal(1))

    assert set(refused(fleet, condor)) == {"PRICE_AWAY", "BUYING_POWER", "DUPLICATE_ORDER"}


def test_an_exit_passes_the_size_guards_but_not_the_price(fleet, condor):
    Account.objects.update(buying_power=Decimal(0))
    limit("MAX_CONTRACTS_PER_ORDER", 1)
    exit_ = replace(reverse(condor), contracts=20, limit=FAR)

    assert set(refused(fleet, exit_)) == {"PRICE_AWAY"}


def test_an_option_of_today_ends_with_the_bell_where_the_market_has_hours(fleet, condor, settings):
    day = parse_option(condor.legs[0].symbol).expiration
    age_s = (timezone.now() - _in_new_york(day, hour=16)).total_seconds()

    fleet.create(condor, age_s=age_s)
    settings.IS_PAPER = False
    fleet.create(condor, age_s=age_s + 1)
    with pytest.raises(BadTicket) as error:
        fleet.create(condor, age_s=age_s)

    assert {problem.code for problem in error.value.problems} == {"EXPIRED"}


def _in_new_york(day, *, hour):
    from datetime import datetime, time

    from orders.decorators import EXCHANGE_ZONE

    return datetime.combine(day, time(hour), EXCHANGE_ZONE)


# --- the command ----------------------------------------------------------------------------------


def test_the_command_says_which_guard_objects_and_how_to_confirm(fleet, queue):
    options = {"limit": "0.05", "wait": 0, "width": Decimal(25)}

    with pytest.raises(CommandError, match=r"worse than .*\(--confirm PRICE_AWAY\)"):
        call_command("broadcast", **options)
    assert not ComplexOrder.objects.exists()

    call_command("broadcast", confirm=["PRICE_AWAY"], **options)
    assert ComplexOrder.objects.count() == 1
