"""Accounts: their numbers, balances, positions, transactions and the user's preferences."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from brokerage.paper import ledger
from brokerage.paper.account_view import account_json
from brokerage.paper.books import Account
from brokerage.paper.messages import Response, json_response, trader_error
from brokerage.paper.routes import parameters
from brokerage.paper.routes.routing import Call, Router
from brokerage.paper.stream.hub import customer_id
from brokerage.paper.transactions import transactions_of

TYPES = frozenset(
    {"TRADE", "RECEIVE_AND_DELIVER", "DIVIDEND_OR_INTEREST", "ACH_RECEIPT", "ACH_DISBURSEMENT"}
    | {"CASH_RECEIPT", "CASH_DISBURSEMENT", "ELECTRONIC_FUND", "WIRE_OUT", "WIRE_IN", "JOURNAL"}
    | {"MEMORANDUM", "MARGIN_CALL", "MONEY_MARKET", "SMA_ADJUSTMENT"}
)
YEAR_DAYS = 366
MOST_ROWS = 3000

router = Router()


@router.on("GET", "/trader/v1/accounts/accountNumbers")
def numbers(call: Call) -> Response:
    """List the login's accounts with their hashes."""
    return json_response(
        [{"accountNumber": one.number, "hashValue": one.hash} for one in call.accounts()]
    )


@router.on("GET", "/trader/v1/accounts")
def list_all(call: Call) -> Response:
    """Show all accounts of the login."""
    return json_response([_shown(call, account) for account in call.accounts()])


@router.on("GET", "/trader/v1/accounts/{account}")
def read(call: Call) -> Response:
    """Show one account."""
    return json_response(_shown(call, call.account()))


@router.on("GET", "/trader/v1/accounts/{account}/transactions")
def transactions(call: Call) -> Response:
    """List an account's trades, newest first."""
    account, request = call.account(), call.request
    begin, end = parameters.window(request, "startDate", "endDate", most_days=YEAR_DAYS)
    types = set(parameters.required(request, "types").split(","))
    if not types <= TYPES:
        raise trader_error(
            400, f"'{','.join(sorted(types - TYPES))}' is not a valid value for types"
        )
    rows = _trades(call, account) if "TRADE" in types else iter(())
    symbol = request.query.get("symbol")
    found = [
        row for row in rows if begin <= _at(row) <= end and (symbol is None or _names(row, symbol))
    ]
    return json_response(found[::-1][:MOST_ROWS])


@router.on("GET", "/trader/v1/accounts/{account}/transactions/{transaction}")
def transaction(call: Call) -> Response:
    """Show one trade."""
    for row in _trades(call, call.account()):
        if str(row["activityId"]) == call.names["transaction"]:
            return json_response(row)
    raise trader_error(404, "Transaction not found")


@router.on("GET", "/trader/v1/userPreference")
def user_preference(call: Call) -> Response:
    """Show the login's preferences and where its stream is."""
    return json_response(
        {
            "accounts": [
                _preference(account, is_primary=not index)
                for index, account in enumerate(call.accounts())
            ],
            "streamerInfo": [
                {
                    "streamerSocketUrl": call.request.stream_url,
                    "schwabClientCustomerId": customer_id(call.user),
                    "schwabClientCorrelId": str(uuid4()),
                    "schwabClientChannel": "N9",
                    "schwabClientFunctionId": "APIAPP",
                }
            ],
            "offers": [{"level2Permissions": True, "mktDataPermission": "NP"}],
        }
    )


def _shown(call: Call, account: Account) -> dict[str, Any]:
    with_positions = "positions" in call.request.query.get("fields", "").split(",")
    return account_json(account, call.broker.market, with_positions=with_positions)


def _trades(call: Call, account: Account) -> Iterator[dict[str, Any]]:
    return transactions_of(
        account, ledger.of_account(call.broker, account), call.broker.instruments
    )


def _preference(account: Account, *, is_primary: bool) -> dict[str, Any]:
    return {
        "accountNumber": account.number,
        "primaryAccount": is_primary,
        "type": "BROKERAGE",
        "nickName": "Individual",
        "displayAcctId": f"...{account.number[-3:]}",
        "autoPositionEffect": True,
        "accountColor": "Green",
    }


def _at(row: dict[str, Any]) -> float:
    parsed = datetime.strptime(row["time"], "%Y-%m-%dT%H:%M:%S%z")
    return parsed.astimezone(UTC).timestamp()


def _names(row: dict[str, Any], symbol: str) -> bool:
    return any(item["instrument"]["symbol"] == symbol for item in row["transferItems"])
