"""Hands to trade past Tradeswim, and to let time pass until somebody looks."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import Account
from accounts.services.balances import sync_accounts
from accounts.services.read_times import forget_reads
from orders.services.elsewhere import look_elsewhere


def by_hand(fleet, place=0, *, symbol="AAPL", instruction="BUY", quantity=5, limit="1.00"):
    """Make an order in an account as somebody does in thinkorswim; it works."""
    is_option = len(symbol) == 21
    return fleet.broker.make_order(
        fleet.accounts[place].hash_value,
        {
            "orderType": "LIMIT",
            "session": "NORMAL",
            "duration": "DAY",
            "orderStrategyType": "SINGLE",
            "price": limit,
            "orderLegCollection": [
                {
                    "instruction": instruction,
                    "quantity": quantity,
                    "instrument": {
                        "symbol": symbol,
                        "assetType": "OPTION" if is_option else "EQUITY",
                    },
                }
            ],
        },
    )


def works(fleet, *, limit="100.00"):
    """Broadcast an order that works, so that every login is polled."""
    fleet.broker.market(fills="manual")
    return fleet.broadcast(fleet.shares(10, limit=Decimal(limit)))


def at(seconds):
    return timezone.now() + timedelta(seconds=seconds)


def journal(fleet):
    return [one for one in fleet.broker.journal() if one["path"].endswith("/orders")]


def hold(fleet, place, holdings):
    """Let an account hold something that nobody broadcast."""
    found = fleet.broker.positions()
    account = fleet.accounts[place].hash_value
    fleet.broker.positions(found | {account: found.get(account, {}) | holdings})
    read_again(fleet, 0)


def read_again(fleet, seconds):
    forget_reads()
    sync_accounts(gateway=fleet.gateway, now=at(seconds))
    assert Account.objects.filter(positions_at__isnull=False).count() == 3


def differs(fleet):
    """Let the first account hold what nobody broadcast, for so long that it is due at 61 s."""
    hold(fleet, 0, {"AAPL": 7})
    look_elsewhere(gateway=fleet.gateway, now=at(0))
    read_again(fleet, 60)
