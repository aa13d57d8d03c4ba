"""One value for an order, the same from the body we sent and from the order it became."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

# A broker fills in prices we never sent (a MARKET order's execution price, say), so each type
# is compared by its own prices only.
PRICES = {
    "MARKET": (),
    "LIMIT": ("price",),
    "NET_DEBIT": ("price",),
    "NET_CREDIT": ("price",),
    "NET_ZERO": (),
    "STOP": ("stopPrice",),
    "STOP_LIMIT": ("price", "stopPrice"),
}


def fingerprint(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of what identifies an order among those of its account.

    Takes our payload or the broker's order object: numbers may be text, float or Decimal, extra
    fields and the order of the legs do not matter.
    """
    text = json.dumps(_projection(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _projection(body: Mapping[str, Any]) -> dict[str, Any]:
    order_type = str(body.get("orderType"))
    prices = PRICES.get(order_type, ("price", "stopPrice"))
    return {
        "orderType": order_type,
        "session": body.get("session"),
        "duration": body.get("duration"),
        "orderStrategyType": body.get("orderStrategyType") or "SINGLE",
        "complexOrderStrategyType": body.get("complexOrderStrategyType") or "NONE",
        "prices": [_number(body.get(name)) for name in prices],
        "legs": sorted(_leg(leg) for leg in body.get("orderLegCollection") or ()),
    }


def _leg(leg: Mapping[str, Any]) -> list[str]:
    instrument = leg.get("instrument") or {}
    symbol = str(instrument.get("symbol") or "").strip()
    return [str(leg.get("instruction")), symbol, _number(leg.get("quantity"))]


def _number(value: object) -> str:
    """Write 1, 1.0, "1.00" and Decimal("1") alike; what is no number stays as it is."""
    try:
        number = Decimal(str(value)).normalize()
    except InvalidOperation:
        return str(value)
    return str(number) if number else "0"
