"""Tables of complex orders, account orders and what is kept of them."""

from orders.models.children import (
    AccountOrder,
    AccountOrderLeg,
    ElsewhereLook,
    ExternalOrder,
    LegFill,
)
from orders.models.ids import new_id
from orders.models.parents import ComplexOrder, OrderLeg, PriceLadder, SavedOrder
from orders.models.sets import ExitStep, PlacedOrderSet

__all__ = [
    "AccountOrder",
    "AccountOrderLeg",
    "ComplexOrder",
    "ElsewhereLook",
    "ExitStep",
    "ExternalOrder",
    "LegFill",
    "OrderLeg",
    "PlacedOrderSet",
    "PriceLadder",
    "SavedOrder",
    "new_id",
]
