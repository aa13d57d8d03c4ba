"""A saved order as it is kept: the body that the API takes for the same order."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from strategies.domain.tickets import (
    Duration,
    Instruction,
    Leg,
    OrderType,
    PriceEffect,
    Session,
    Strategy,
    Ticket,
)

# The keys that load a saved order; 0 is no key.
MOST_NUMBERS = 8
LONGEST_NAME = 60


class Unreadable(ValueError):
    """What is kept is no order's body."""


def write_ticket(ticket: Ticket) -> dict[str, Any]:
    """Return a ticket as the API takes it."""
    return {
        "strategy": ticket.strategy.value,
        "legs": [
            {"symbol": leg.symbol, "instruction": leg.instruction.value, "ratio": leg.ratio}
            for leg in ticket.legs
        ],
        "order_type": ticket.order_type.value,
        "price_effect": ticket.price_effect.value if ticket.price_effect else None,
        "limit": _text(ticket.limit),
        "stop": _text(ticket.stop),
        "contracts": ticket.contracts,
        "duration": ticket.duration.value,
        "session": ticket.session.value,
    }


def write_accounts(
    ids: tuple[UUID, ...] | None, group: str | None, leave_out: tuple[UUID, ...]
) -> Any:
    """Return which accounts are meant as the API takes it."""
    if ids is not None:
        return {"ids": [str(one) for one in ids]}
    if group is not None:
        return {"group": group}
    return {"except": [str(one) for one in leave_out]} if leave_out else "active"


def read_accounts(
    kept: Any,
) -> tuple[tuple[UUID, ...] | None, str | None, tuple[UUID, ...]]:
    """Read back which accounts are meant: ids, group, those left out. Errors: Unreadable."""
    try:
        match kept:
            case None | "active":
                return None, None, ()
            case {"ids": [*ids]}:
                return tuple(UUID(one) for one in ids), None, ()
            case {"except": [*ids]}:
                return None, None, tuple(UUID(one) for one in ids)
            case {"group": str(name)}:
                return None, name, ()
    except (ValueError, TypeError, AttributeError):
        pass
    raise Unreadable("The saved order's accounts cannot be read.")


def read_ticket(body: Mapping[str, Any]) -> Ticket:
    """Read a ticket back. Errors: Unreadable."""
    try:
        effect = body.get("price_effect")
        return Ticket(
            strategy=Strategy(body["strategy"]),
            legs=tuple(
                Leg(leg["symbol"], Instruction(leg["instruction"]), int(leg.get("ratio", 1)))
                for leg in body["legs"]
            ),
            order_type=OrderType(body["order_type"]),
            contracts=int(body["contracts"]),
            limit=_number(body.get("limit")),
            stop=_number(body.get("stop")),
            price_effect=PriceEffect(effect) if effect else None,
            duration=Duration(body.get("duration", Duration.DAY)),
            session=Session(body.get("session", Session.NORMAL)),
        )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        raise Unreadable(f"The saved order cannot be read: {error}.") from None


def _text(price: Decimal | None) -> str | None:
    return None if price is None else f"{price:f}"


def _number(text: Any) -> Decimal | None:
    return None if text is None else Decimal(str(text))
