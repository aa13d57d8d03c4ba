"""Accounts: their numbers, what they are worth, and what they hold."""

from dataclasses import dataclass, field
from decimal import Decimal

from brokerage.errors import UnreadableReply
from brokerage.schwab.exchange import Reply
from brokerage.schwab.replies import parsing
from brokerage.schwab.replies.parsing import Row

# What shares and options are worth, among an account's balances.
WORTH_HELD = (
    *("longMarketValue", "shortMarketValue"),
    *("longOptionMarketValue", "shortOptionMarketValue"),
)


@dataclass(frozen=True, slots=True)
class AccountNumber:
    """An account's number and the hash that stands for it in addresses; join on the number."""

    number: str = field(repr=False)
    hash_value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Holding:
    """One position.

    Args:
        asset_type: as the broker calls it; ETFs are COLLECTIVE_INVESTMENT.
        long, short: both positive; `quantity` is the difference.
    """

    symbol: str
    asset_type: str
    long: Decimal
    short: Decimal
    average_price: Decimal | None
    market_value: Decimal | None

    @property
    def quantity(self) -> Decimal:
        """Return what is held; negative when short."""
        return self.long - self.short


@dataclass(frozen=True, slots=True)
class AccountReading:
    """One account now.

    Args:
        account_type: CASH or MARGIN.
        value: what it is worth when liquidated.
        buying_power: for marginable shares; of a CASH account its cash to trade with.
        option_buying_power: what options are paid from, which is never lent.
        holdings: empty unless positions were asked for.
        opening_value: what it was worth when the broker's day began.
        hides_positions: no position is shown, though the balances count what some are worth; it
            must not be read as flat.
    """

    number: str = field(repr=False)
    account_type: str
    value: Decimal | None
    cash: Decimal | None
    buying_power: Decimal | None
    option_buying_power: Decimal | None
    holdings: tuple[Holding, ...]
    opening_value: Decimal | None = None
    hides_positions: bool = False


def read_account_numbers(reply: Reply) -> tuple[AccountNumber, ...]:
    """Read the accounts of a login; the order of the list means nothing."""
    found = [parsing.row(row) for row in parsing.listing(parsing.read_json(reply))]
    pairs = [
        (parsing.text(r.get("accountNumber")), parsing.text(r.get("hashValue"))) for r in found
    ]
    if not all(number and hash_value for number, hash_value in pairs):
        raise UnreadableReply("The broker shows an account without number or hash")
    return tuple(AccountNumber(number, hash_value) for number, hash_value in pairs)


def read_accounts(reply: Reply) -> tuple[AccountReading, ...]:
    """Read the list of accounts, or the answer to a read of one."""
    found = parsing.read_json(reply)
    listed = found if isinstance(found, list) else [found]
    return tuple(_account(parsing.row(parsing.row(row).get("securitiesAccount"))) for row in listed)


def _account(raw: Row) -> AccountReading:
    number, account_type = parsing.text(raw.get("accountNumber")), parsing.text(raw.get("type"))
    if not number or account_type not in {"CASH", "MARGIN"}:
        raise UnreadableReply("The broker shows an account without number or known type")
    balances = parsing.row(raw.get("currentBalances"))
    if account_type == "CASH":
        shares = options = parsing.number(balances.get("cashAvailableForTrading"))
    else:
        shares = parsing.number(balances.get("buyingPower"))
        options = parsing.number(
            parsing.first(balances, "buyingPowerNonMarginableTrade", "availableFunds")
        )
    opening = parsing.row(raw.get("initialBalances") or {})
    holdings = tuple(_holding(parsing.row(row)) for row in parsing.rows(raw.get("positions")))
    return AccountReading(
        number=number,
        account_type=account_type,
        value=parsing.number(balances.get("liquidationValue")),
        cash=parsing.number(balances.get("cashBalance")),
        buying_power=shares,
        option_buying_power=options,
        holdings=holdings,
        opening_value=parsing.number(parsing.first(opening, "liquidationValue", "accountValue")),
        hides_positions=not holdings and any(parsing.quantity(balances.get(x)) for x in WORTH_HELD),
    )


def _holding(raw: Row) -> Holding:
    instrument = parsing.row(raw.get("instrument"))
    symbol = parsing.text(instrument.get("symbol"))
    long, short = (parsing.number(raw.get(f"{side}Quantity")) for side in ("long", "short"))
    # A holding that is misread as nothing would look flat.
    if not symbol or (long is None and short is None):
        raise UnreadableReply("The broker shows a position without symbol or quantity")
    return Holding(
        symbol=symbol,
        asset_type=parsing.text(instrument.get("assetType")),
        long=long or Decimal(0),
        short=abs(short or Decimal(0)),
        average_price=parsing.number(raw.get("averagePrice")),
        market_value=parsing.number(raw.get("marketValue")),
    )
