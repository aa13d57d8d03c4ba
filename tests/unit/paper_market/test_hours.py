"""When the market says that it is open, in both of its modes."""

from datetime import date, datetime

import pytest

from strategies.domain.new_york import EASTERN
from tests.unit.paper_market.markets import WEDNESDAY_NOON, make_market, move_to

SUNDAY = date(2025, 11, 23)
THANKSGIVING = date(2025, 11, 27)


def test_an_open_day_of_the_exchanges():
    reply = make_market(hours="nyse").hours_json(["equity", "option"], date(2025, 7, 21))

    assert reply == {
        "equity": {
            "EQ": {
                "date": "2025-07-21",
                "marketType": "EQUITY",
                "product": "EQ",
                "productName": "equity",
                "isOpen": True,
                "sessionHours": {
                    "preMarket": [span("07:00", "09:30")],
                    "regularMarket": [span("09:30", "16:00")],
                    "postMarket": [span("16:00", "20:00")],
                },
            }
        },
        "option": {
            "EQO": {
                "date": "2025-07-21",
                "marketType": "OPTION",
                "product": "EQO",
                "productName": "equity option",
                "isOpen": True,
                "sessionHours": {"regularMarket": [span("09:30", "16:00")]},
            },
            "IND": {
                "date": "2025-07-21",
                "marketType": "OPTION",
                "product": "IND",
                "productName": "index option",
                "isOpen": True,
                "sessionHours": {"regularMarket": [span("09:30", "16:15")]},
            },
        },
    }


def span(start, end):
    return {"start": f"2025-07-21T{start}:00-04:00", "end": f"2025-07-21T{end}:00-04:00"}


@pytest.mark.parametrize("day", [SUNDAY, THANKSGIVING])
def test_a_closed_day_has_another_shape(day):
    reply = make_market(hours="nyse").hours_json(["equity"], day)

    assert reply == {
        "equity": {
            "equity": {
                "date": day.isoformat(),
                "marketType": "EQUITY",
                "product": "equity",
                "isOpen": False,
            }
        }
    }


@pytest.mark.parametrize("day", [SUNDAY, THANKSGIVING, date(2025, 11, 19)])
def test_a_market_that_is_always_open_is_open_for_the_whole_of_every_day(day):
    reply = make_market().hours_json(["equity", "option"], day)

    following = date.fromordinal(day.toordinal() + 1)
    for products in reply.values():
        for product in products.values():
            assert product["isOpen"] is True
            assert product["sessionHours"] == {
                "regularMarket": [
                    {"start": f"{day}T00:00:00-05:00", "end": f"{following}T00:00:00-05:00"}
                ]
            }


def test_the_offset_changes_with_the_clocks_of_new_york():
    (hours,) = make_market().hours_json(["equity"], date(2026, 3, 8))["equity"].values()

    assert hours["sessionHours"]["regularMarket"] == [
        {"start": "2026-03-08T00:00:00-05:00", "end": "2026-03-09T00:00:00-04:00"}
    ]


def test_markets_that_are_not_traded_here_are_closed():
    reply = make_market().hours_json(["bond", "forex", "nonsense"], WEDNESDAY_NOON.date())

    assert {market: list(products) for market, products in reply.items()} == {
        "bond": ["bond"],
        "forex": ["forex"],
    }
    assert reply["bond"]["bond"]["isOpen"] is False


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2025-11-19 09:29:59", False),
        ("2025-11-19 09:30:00", True),
        ("2025-11-19 15:59:59", True),
        ("2025-11-19 16:00:00", False),
        ("2025-11-23 12:00:00", False),
        ("2025-11-27 12:00:00", False),
    ],
)
@pytest.mark.parametrize("asset", ["EQUITY", "OPTION"])
def test_the_exchanges_are_open_in_the_regular_session(at, is_open, asset):
    market = make_market(hours="nyse")
    move_to(market, datetime.fromisoformat(at).replace(tzinfo=EASTERN))

    assert market.is_open(asset) is is_open
    market.hours = "always"
    assert market.is_open(asset) is True


def test_there_are_no_other_hours():
    with pytest.raises(ValueError, match="sometimes"):
        make_market(hours="sometimes")


def test_a_closed_market_says_so_in_its_quotes():
    market = make_market(at=datetime(2025, 11, 23, 12, tzinfo=EASTERN), hours="nyse")
    reply = market.quotes_json(["AAPL", "$SPX"])

    assert {row["quote"]["securityStatus"] for row in reply.values()} == {"Closed"}
