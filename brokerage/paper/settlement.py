"""What a new day brings: expired options become money, and accounts begin with what they have."""

from decimal import Decimal

from brokerage.paper.account_view import value
from brokerage.paper.books import Account, Books
from brokerage.paper.market import Market
from brokerage.paper.requirements import read_option
from strategies.domain.symbols import (
    SHARES_PER_CONTRACT,
    PutCall,
    is_option,
    quote_symbol,
    underlying_of,
)


def settle_expired(books: Books, market: Market) -> None:
    """Turn every expired option into money, at what it was worth, whatever it delivers."""
    for account in books.accounts.values():
        for symbol in [one for one in account.positions if is_option(one)]:
            if read_option(symbol).expiration < market.today:
                _settle(account, symbol, market)
                books.changed_accounts.add(account.hash)


def begin_day(books: Books, market: Market) -> None:
    """Take down what every account is worth and holds as the day begins."""
    for account in books.accounts.values():
        worth = value(account, market)
        account.opening_cash = account.cash + worth.options + worth.shares
        for position in account.positions.values():
            position.previous = position.quantity
        books.changed_accounts.add(account.hash)


def _settle(account: Account, symbol: str, market: Market) -> None:
    option = read_option(symbol)
    price = market.price(quote_symbol(underlying_of(symbol))) or option.strike
    gain = price - option.strike if option.put_call is PutCall.CALL else option.strike - price
    quantity = account.positions.pop(symbol).quantity
    account.cash += quantity * max(Decimal(0), gain) * SHARES_PER_CONTRACT
