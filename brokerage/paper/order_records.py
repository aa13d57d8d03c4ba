"""Turn an order of the paper broker into the record that its files keep, and back."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from brokerage.paper.orders import Order, OrderLeg, OrderSpec
from strategies.domain.tickets import Instruction

Record = dict[str, Any]


def order_record(order: Order) -> Record:
    """Record an order."""
    shown = {name: getattr(order, name) for name in Order.__slots__ if name not in ("spec", "text")}
    spec = {name: getattr(order.spec, name) for name in OrderSpec.__slots__ if name != "legs"}
    legs = [[leg.symbol, leg.instruction, leg.quantity, leg.ratio] for leg in order.spec.legs]
    return {"kind": "order", **shown, "spec": {**spec, "legs": legs}}


def read_record(record: Record) -> Order:
    """Make the order of a record."""
    facts = {name: value for name, value in record.items() if name not in ("kind", "spec")}
    order = Order(**facts, spec=_spec(record["spec"]))
    order.reserve = Decimal(record["reserve"])
    return order


def _spec(record: Record) -> OrderSpec:
    legs = tuple(
        OrderLeg(
            symbol,
            Instruction(instruction),
            Instruction(instruction).is_for_options,
            quantity,
            ratio,
        )
        for symbol, instruction, quantity, ratio in record["legs"]
    )
    spec = OrderSpec(**{**record, "legs": legs, "extras": tuple(map(tuple, record["extras"]))})
    return replace(spec, limit=_optional(record["limit"]), stop=_optional(record["stop"]))


def _optional(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
