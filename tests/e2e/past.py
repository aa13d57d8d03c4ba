"""Give a running installation a past and a present: orders filled, working, rejected, unknown."""

import os
import subprocess
import sys
from typing import Any

from tests.support.stack import Program, Stack

SHARES = {
    "strategy": "EQUITY",
    "order_type": "LIMIT",
    "limit": "190.00",
    "contracts": 10,
    "accounts": "active",
    "legs": [{"symbol": "AAPL", "instruction": "BUY", "ratio": 1}],
    "confirm": ["PRICE_AWAY"],
}


def fill(stack: Stack, *, broadcasts: int) -> None:
    """Write broadcasts of the last days into its database."""
    environment = {
        **os.environ,
        "TRADESWIM_HOME": str(stack.home),
        "DJANGO_SETTINGS_MODULE": "tradeswim.settings.dev",
    }
    command = [sys.executable, "-m", "tests.support.fill_history", "--broadcasts", f"{broadcasts}"]
    subprocess.run(command, env=environment, check=True)


def trade(program: Program) -> None:
    """Leave some orders filled, some partly filled, some working, one rejected, one unknown."""
    accounts = [one["hash"] for login in program.paper("logins") for one in login["accounts"]]
    program.post_order(program.condor())
    program.paper("market", {"fills": "manual"})
    fault = {"method": "POST", "path": "/orders", "times": 1}
    program.paper("faults", {**fault, "fault": "reject", "account": accounts[3]})
    program.paper("faults", {**fault, "fault": "drop_after", "account": accounts[17]})
    _fill_some(program, {**program.condor(), "contracts": 2})
    _fill_some(program, SHARES)


def _fill_some(program: Program, ticket: dict[str, Any]) -> None:
    """Send a ticket, and fill it in every third account where it works."""
    order = program.post_order(ticket).json()["id"]
    sent = program.wait_for_order(order, "WORKING", "PARTIAL", "NEEDS_AGENT")
    working = [one["broker_order_id"] for one in sent["accounts"] if one["status"] == "WORKING"]
    for number in working[1::3]:  # the one that is rejected a moment later is none of them
        fill = {"order_id": number, "quantity": ticket["contracts"], "price": ticket["limit"]}
        program.paper("fill", fill)
