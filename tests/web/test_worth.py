"""What the fleet was worth over time: for the plot, and drawn by the server."""

import json
from datetime import timedelta

from django.utils import timezone

from accounts.models import FleetWorth
from tests.web.browsing import text_of


def worth(grain, minutes, value):
    at = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=minutes)
    FleetWorth.objects.create(grain=grain, at=at, value=value, known=3, accounts=3)


def test_the_fleets_worth_is_answered_for_the_plot(trader, trio):
    worth("MINUTE", 2, 100)
    worth("MINUTE", 1, "100.50")
    worth("MINUTE", 25 * 60, 7)
    worth("DAY", 60 * 24 * 300, 5)

    day = json.loads(trader.get("/accounts/aum.json").content)
    ever = json.loads(trader.get("/accounts/aum.json?span=all").content)

    assert (day["span"], day["value"]) == ("1d", [100.0, 100.5])
    assert day["at"][1] - day["at"][0] == 60
    assert (ever["span"], ever["value"]) == ("all", [5.0])


def test_without_a_script_the_server_draws_the_worth(trader, trio):
    worth("QUARTER", 30, 100)
    worth("QUARTER", 15, 200)

    page = text_of(trader.get("/accounts/"))
    week = text_of(trader.get("/accounts/?span=1w"))

    assert '<svg class="chart spark"' in page
    assert 'aria-label="From $100.00 on' in page
    assert page.count('<polyline class="line"') == 2
    assert '<details id="aum" class="aum" data-src="/accounts/aum.json"' in week
    assert " open>" in week
    assert 'data-span="1w" aria-current="true"' in week


def test_one_value_makes_no_line(trader, trio):
    worth("QUARTER", 15, 200)

    page = text_of(trader.get("/accounts/"))

    assert "<polyline" not in page
    assert "There is no history of this time yet." in page
