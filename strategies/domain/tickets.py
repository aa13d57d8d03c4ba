"""The words of a trade: what an agent asks for, before anybody is asked to size or send it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Strategy(StrEnum):
    EQUITY = "EQUITY"
    SINGLE_OPTION = "SINGLE_OPTION"
    VERTICAL = "VERTICAL"
    IRON_CONDOR = "IRON_CONDOR"


class OrderType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"


class PriceEffect(StrEnum):
    """Which way the net price flows; only orders with several legs have one."""

    NET_CREDIT = "NET_CREDIT"
    NET_DEBIT = "NET_DEBIT"
    NET_ZERO = "NET_ZERO"


class Duration(StrEnum):
    DAY = "DAY"
    GOOD_TILL_CANCEL = "GOOD_TILL_CANCEL"
    FILL_OR_KILL = "FILL_OR_KILL"
    IMMEDIATE_OR_CANCEL = "IMMEDIATE_OR_CANCEL"


class Session(StrEnum):
    NORMAL = "NORMAL"
    AM = "AM"
    PM = "PM"
    SEAMLESS = "SEAMLESS"


class Instruction(StrEnum):
    BUY = "BUY"
    SELL = "SELL"
    SELL_SHORT = "SELL_SHORT"
    BUY_TO_COVER = "BUY_TO_COVER"
    BUY_TO_OPEN = "BUY_TO_OPEN"
    SELL_TO_OPEN = "SELL_TO_OPEN"
    BUY_TO_CLOSE = "BUY_TO_CLOSE"
    SELL_TO_CLOSE = "SELL_TO_CLOSE"

    @property
    def is_buy(self) -> bool:
        """Whether the position grows by it, or shrinks if it was short."""
        return self.name.startswith("BUY")

    @property
    def is_for_options(self) -> bool:
        """Whether it goes with an option; the others go with shares."""
        return self.name.endswith(("_TO_OPEN", "_TO_CLOSE"))

    @property
    def opens(self) -> bool:
        """Whether it can create or grow a position (BUY and SELL of shares: BUY does)."""
        return self.name in {"BUY", "SELL_SHORT", "BUY_TO_OPEN", "SELL_TO_OPEN"}


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of a trade.

    Args:
        symbol: a share's ticker, or an option's 21-character OCC symbol, as it goes on the wire.
        instruction: what to do with it.
        ratio: contracts (or shares) of this leg for one unit of the strategy.
    """

    symbol: str
    instruction: Instruction
    ratio: int = 1


@dataclass(frozen=True, slots=True)
class Ticket:
    """A whole trade for one account.

    Args:
        contracts: units of the strategy (shares for EQUITY); a leg's quantity is this times its
            ratio.
        limit: USD per unit, positive; None for MARKET and STOP.
        stop: USD per share or contract; only for STOP and STOP_LIMIT.
        price_effect: None for orders with one leg.
    """

    strategy: Strategy
    legs: tuple[Leg, ...]
    order_type: OrderType
    contracts: int
    limit: Decimal | None = None
    stop: Decimal | None = None
    price_effect: PriceEffect | None = None
    duration: Duration = Duration.DAY
    session: Session = Session.NORMAL


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a ticket.

    Args:
        field: the ticket field it belongs to, in the API's spelling: `contracts`, `legs[1].symbol`.
        code: a stable word for programs: `off_tick`, or a guard's name such as `PRICE_AWAY`.
        message: a sentence for the agent that says what to do.
        is_overridable: whether the agent may send the order all the same by confirming the code.
        accounts: the aliases of all accounts that it is about, if it is not about all.
    """

    field: str
    code: str
    message: str
    is_overridable: bool = False
    accounts: tuple[str, ...] = ()
