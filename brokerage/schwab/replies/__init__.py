"""Readers of the broker's replies: a reply in, frozen values out, or an error that says why."""

from brokerage.schwab.replies.accounts import (
    AccountNumber,
    AccountReading,
    Holding,
    read_account_numbers,
    read_accounts,
)
from brokerage.schwab.replies.market import (
    Chain,
    ChainRow,
    Expiration,
    MarketHours,
    MarketSession,
    Quote,
    Quotes,
    read_chain,
    read_expirations,
    read_market_hours,
    read_quotes,
)
from brokerage.schwab.replies.orders import (
    TERMINAL_STATUSES,
    BrokerFill,
    BrokerLeg,
    BrokerOrder,
    OrderPage,
    WorkingPage,
    read_order,
    read_orders,
    read_working_orders,
)
from brokerage.schwab.replies.parsing import raise_for_reply
from brokerage.schwab.replies.previews import Preview, read_preview
from brokerage.schwab.replies.tokens import TokenGrant, read_token

__all__ = [
    "TERMINAL_STATUSES",
    "AccountNumber",
    "AccountReading",
    "BrokerFill",
    "BrokerLeg",
    "BrokerOrder",
    "Chain",
    "ChainRow",
    "Expiration",
    "Holding",
    "MarketHours",
    "MarketSession",
    "OrderPage",
    "Preview",
    "Quote",
    "Quotes",
    "TokenGrant",
    "WorkingPage",
    "raise_for_reply",
    "read_account_numbers",
    "read_accounts",
    "read_chain",
    "read_expirations",
    "read_market_hours",
    "read_order",
    "read_orders",
    "read_preview",
    "read_quotes",
    "read_token",
    "read_working_orders",
]
