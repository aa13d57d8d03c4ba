"""Turn what the paper broker keeps into records for its state file, and back."""

from dataclasses import asdict
from decimal import Decimal

from brokerage.paper.books import Account, Position
from brokerage.paper.broker import Broker
from brokerage.paper.oauth import Code, Grant, Login, Session
from brokerage.paper.order_records import Record, read_record


def broker_record(broker: Broker, version: int) -> Record:
    """Record what is not an account, an order or a login; this is the first line of the file."""
    oauth = broker.oauth
    return {
        "kind": "broker",
        "version": version,
        "seed": broker.options.seed,
        "books": broker.books.name,
        "last_order_id": broker.books.last_order_id,
        "last_activity_id": broker.books.last_activity_id,
        "offset_s": broker.offset_s,
        "fills": broker.trading.fills,
        "market": broker.market.state(),
        "rotating": sorted(oauth.rotating),
        "codes": {text: asdict(code) for text, code in oauth.codes.items()},
        "grants": {token: asdict(grant) for token, grant in oauth.grants.items()},
        "sessions": {token: asdict(session) for token, session in oauth.sessions.items()},
    }


def load_broker(broker: Broker, record: Record) -> None:
    """Restore what `broker_record` recorded."""
    books, oauth = broker.books, broker.oauth
    books.name = record.get("books", books.name)
    broker.archive.open(books.name)
    books.last_order_id = max(books.last_order_id, record["last_order_id"])
    books.last_activity_id = max(books.last_activity_id, record["last_activity_id"])
    broker.offset_s = record["offset_s"]
    broker.trading.fills = record["fills"]
    broker.market.restore(record["market"])
    oauth.rotating = set(record["rotating"])
    oauth.codes = {text: Code(**code) for text, code in record["codes"].items()}
    oauth.grants = {token: Grant(**grant) for token, grant in record["grants"].items()}
    oauth.sessions = {token: Session(**session) for token, session in record["sessions"].items()}


def login_record(login: Login) -> Record:
    """Record a login; its callbacks follow from how the broker was started."""
    return {"kind": "login"} | {
        name: value for name, value in asdict(login).items() if name != "callbacks"
    }


def load_login(broker: Broker, record: Record) -> None:
    """Restore a login."""
    known = next(iter(broker.oauth.logins.values()))
    facts = {name: value for name, value in record.items() if name != "kind"}
    broker.oauth.add_login(Login(**facts, callbacks=known.callbacks))


def account_record(account: Account) -> Record:
    """Record an account without its orders."""
    return {
        "kind": "account",
        "number": account.number,
        "hash": account.hash,
        "user": account.user,
        "is_margin": account.is_margin,
        "cash": account.cash,
        "opening_cash": account.opening_cash,
        "positions": {
            symbol: [held.quantity, held.price, held.fees, held.previous]
            for symbol, held in account.positions.items()
        },
    }


def load_account(broker: Broker, record: Record) -> None:
    """Restore an account; one that the seed does not have is opened."""
    account = broker.books.accounts.get(record["hash"])
    if account is None:
        account = Account(
            number=record["number"],
            hash=record["hash"],
            user=record["user"],
            is_margin=record["is_margin"],
            cash=Decimal(0),
            opening_cash=Decimal(0),
        )
        broker.books.add_account(account)
    account.is_margin = record["is_margin"]
    account.cash, account.opening_cash = Decimal(record["cash"]), Decimal(record["opening_cash"])
    account.positions = {
        symbol: Position(quantity, Decimal(price), Decimal(fees), previous)
        for symbol, (quantity, price, fees, previous) in record["positions"].items()
    }


def load_order(broker: Broker, record: Record) -> None:
    """Restore an order."""
    broker.books.add_order(read_record(record))
