"""The seeded market inside the paper broker."""

from brokerage.paper.market.market import Market
from brokerage.paper.market.quotes import NetQuote, Quote

__all__ = ["Market", "NetQuote", "Quote"]
