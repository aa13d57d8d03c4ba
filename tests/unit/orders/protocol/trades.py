"""The trades of the model: real payloads with their real fingerprints."""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from brokerage.schwab.fingerprint import fingerprint
from brokerage.schwab.payloads import encode, order_body
from strategies.domain.catalog import VerticalKind, share_order, vertical
from strategies.domain.tickets import Instruction, OrderType, PriceEffect, Strategy, Ticket

ACCOUNT_HASH = "1996EA061B4878E8D0B9063DF74925E5688F475BE00AF6A0A41E1FC4A2510AA0"


@dataclass(frozen=True)
class Trade:
    """What the agent asks for: the text that goes on the wire, and what recognises it."""

    name: str
    body: str
    fingerprint: str

    def __repr__(self) -> str:
        return self.name.upper()

    def as_shown(self) -> dict[str, Any]:
        """Return the order's fields as the broker writes them back: floats, more keys."""
        shown = json.loads(self.body)
        legs = shown["orderLegCollection"]
        for number, leg in enumerate(legs, 1):
            leg |= {"legId": number, "quantity": float(leg["quantity"])}
        shown["orderLegCollection"] = legs[::-1]
        shown["price"] = float(shown["price"])
        return {"complexOrderStrategyType": "NONE", **shown, "cancelable": True}


def _trade(name: str, ticket: Ticket) -> Trade:
    body = order_body(ticket)
    return Trade(name, encode(body).decode("ascii"), fingerprint(body))


SHARES = _trade(
    "shares",
    Ticket(
        strategy=Strategy.EQUITY,
        legs=share_order("AAPL", Instruction.BUY).legs,
        order_type=OrderType.LIMIT,
        contracts=10,
        limit=Decimal("210.5"),
    ),
)
SPREAD = _trade(
    "spread",
    Ticket(
        strategy=Strategy.VERTICAL,
        legs=vertical(
            VerticalKind.BULL_PUT,
            root="SPXW",
            expiration=date(2026, 12, 18),
            lower=Decimal(6000),
            upper=Decimal(6005),
        ).legs,
        order_type=OrderType.LIMIT,
        contracts=1,
        limit=Decimal("1.10"),
        price_effect=PriceEffect.NET_CREDIT,
    ),
)
TRADES = {trade.name: trade for trade in (SHARES, SPREAD)}
