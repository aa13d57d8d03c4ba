"""The guards at the door where every order is made: size, money, order type, the last bell."""

from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.models import Account, Limit
from orders.domain.errors import BadTicket
from orders.models import ComplexOrder
from strategies.domain.new_york import EASTERN
from strategies.domain.reversal import reverse
from strategies.domain.symbols import parse_option
from strategies.domain.tickets import OrderType
from tests.integration.orders.hands import limit, refused

pytestmark = pytest.mark.usefixtures("prices")
FAR = Decimal("4.95")


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


def _in_new_york(day: date, *, hour: int) -> datetime:
    return datetime.combine(day, time(hour), EASTERN)


# --- the command ----------------------------------------------------------------------------------


def test_the_command_says_which_guard_objects_and_how_to_confirm(fleet, queue):
    options = {"limit": "0.05", "wait": 0, "width": Decimal(25)}

    with pytest.raises(CommandError, match=r"worse than .*\(--confirm PRICE_AWAY\)"):
        call_command("broadcast", **options)
    assert not ComplexOrder.objects.exists()

    call_command("broadcast", confirm=["PRICE_AWAY"], **options)
    assert ComplexOrder.objects.count() == 1
