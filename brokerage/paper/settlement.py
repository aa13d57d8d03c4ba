"""Settle options that have expired: in cash, at what they were worth, whatever they deliver."""

from decimal import Decimal

from brokerage.paper.books import Account, Books
from brokerage.paper.market import Market
from brokerage.paper.orders import SHARES_PER_CONTRACT
from brokerage.paper.requirements import read_option
from strategies.domain.symbols import PutCall, is_option, quote_symbol, underlying_of


def settle_expired(books: Books, market: Market) -> None:
    """Turn every expired option into money."""
    for account in books.accounts.values():
        for symbol in [one for one in account.positions if is_option(one)]:
            if read_option(symbol).expiration < market.today:
                _settle(account, symbol, market)
                books.changed_accounts.add(account.hash)


def _settle(account: Account, symbol: str, market: Market) -> None:
    option = read_option(symbol)
    price = market.price(quote_symbol(underlying_of(symbol))) or option.strike
    gain = price - option.strike if option.put_call is PutCall.CALL else option.strike - price
    quantity = account.positions.pop(symbol).quantity
    account.cash += quantity * max(Decimal(0), gain) * SHARES_PER_CONTRACT
