"""An independent client, schwab-py, trades on the paper broker as it would at Schwab."""

import asyncio
import gc
import json
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest

from tests.integration.paper.trader import Trader, single
from tests.support.paper import PaperBroker

with warnings.catch_warnings():  # what the library stands on warns of its own future
    import_module("authlib.deprecate")  # sets a filter that shows its warnings
    warnings.simplefilter("ignore")
    import httpx
    import schwab


class ToPaper(httpx.HTTPTransport):
    """Sends what is meant for Schwab to the paper broker."""

    def __init__(self, paper: PaperBroker) -> None:
        super().__init__()
        self._port = paper.port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return super().handle_request(request)


def lead_to_paper(client: Any, paper: PaperBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client, which cannot be told another address, talk to the paper broker."""
    vars(client.session)["_transport"].close()
    monkeypatch.setattr(client.session, "_transport", ToPaper(paper))
    monkeypatch.setattr(client.session, "_mounts", {})


@pytest.fixture
def client(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client whose access token has just expired, so that it begins with a refresh."""
    token = {**trader.tokens, "expires_at": int(time.time()) - 10}
    wrapped = {"creation_timestamp": int(time.time()), "token": token}
    login, saved = trader.login, []
    made = schwab.auth.client_from_access_functions(
        login["app_key"], login["app_secret"], lambda: wrapped, lambda new, **_: saved.append(new)
    )
    lead_to_paper(made, trader.paper, monkeypatch)
    made.saved_tokens = saved
    yield made
    made.session.close()


def test_it_refreshes_its_token_first(client: Any, trader: Trader) -> None:
    numbers = client.get_account_numbers().json()

    assert [one["hashValue"] for one in numbers] == [trader.account]
    assert client.saved_tokens[0]["token"]["expires_in"] == 1800


def test_it_reads_accounts_with_positions(client: Any, trader: Trader) -> None:
    trader.place(trader.condor("0.50"))
    fields = [client.Account.Fields.POSITIONS]

    (listed,) = client.get_accounts(fields=fields).json()
    alone = client.get_account(trader.account, fields=fields).json()

    assert len(listed["securitiesAccount"]["positions"]) == 4
    assert listed == alone


def test_it_places_reads_lists_replaces_and_cancels(client: Any, trader: Trader) -> None:
    utils = schwab.utils.Utils(client, trader.account)
    first = client.place_order(trader.account, trader.condor("4.95"))
    first_id = utils.extract_order_id(first)
    second = client.replace_order(trader.account, first_id, trader.condor("4.90"))
    second_id = utils.extract_order_id(second)
    now = datetime.now(UTC)
    listed = client.get_orders_for_account(
        trader.account,
        from_entered_datetime=now - timedelta(hours=1),
        to_entered_datetime=now + timedelta(minutes=1),
        status=client.Order.Status.WORKING,
    ).json()
    cancelled = client.cancel_order(second_id, trader.account)

    assert (first.status_code, second.status_code, cancelled.status_code) == (201, 201, 200)
    assert client.get_order(first_id, trader.account).json()["status"] == "REPLACED"
    assert [one["orderId"] for one in listed] == [second_id]
    assert client.get_order(second_id, trader.account).json()["status"] == "CANCELED"


def test_its_own_builders_make_orders_the_broker_takes(client: Any, trader: Trader) -> None:
    puts = trader.options("$SPX")["PUT"]
    spread = schwab.orders.options.bull_put_vertical_open(puts[9], puts[10], 2, "0.50")
    shares = schwab.orders.equities.equity_buy_limit("F", 10, "50.00")

    for built in (spread, shares):
        answer = client.place_order(trader.account, built.build())
        order_id = schwab.utils.Utils(client, trader.account).extract_order_id(answer)
        assert client.get_order(order_id, trader.account).json()["status"] == "FILLED"
    start = datetime.now(UTC) - timedelta(days=1)
    trades = client.get_transactions(
        trader.account,
        start_date=start,
        end_date=start + timedelta(days=2),
        transaction_types=[client.Transactions.TransactionType.TRADE],
    )
    assert len(trades.json()) == 2


def test_it_previews(client: Any, trader: Trader) -> None:
    good = client.preview_order(trader.account, trader.condor("1.40"))
    bad = client.preview_order(trader.account, single("F", "SELL", "1.00"))

    assert good.json()["orderStrategy"]["status"] == "ACCEPTED"
    assert bad.json()["orderStrategy"]["status"] == "REJECTED"


def test_it_reads_the_market(client: Any, trader: Trader) -> None:
    chain = client.get_option_chain("$SPX", strike_count=2).json()
    quotes = client.get_quotes(["AAPL", "$SPX"]).json()
    hours = client.get_market_hours(client.MarketHours.Market.EQUITY).json()
    expirations = client.get_option_expiration_chain("AAPL").json()
    found = client.get_instruments("AAPL", client.Instrument.Projection.SYMBOL_SEARCH).json()

    assert chain["status"] == "SUCCESS"
    assert chain["putExpDateMap"]
    assert set(quotes) == {"AAPL", "$SPX"}
    assert hours["equity"]["EQ"]["isOpen"]
    assert expirations["expirationList"]
    assert found["instruments"][0]["symbol"] == "AAPL"


def test_it_reads_the_user_s_preferences(client: Any, trader: Trader) -> None:
    shown = client.get_user_preferences().json()

    assert shown["accounts"][0]["accountNumber"] == trader.login["accounts"][0]["number"]


def test_its_stream_logs_in_subscribes_and_hears_of_a_fill(client: Any, trader: Trader) -> None:
    client.get_account_numbers()  # it refreshes its token, which the stream takes as it is
    heard: list[Any] = []

    async def listen() -> str:
        stream = schwab.streaming.StreamClient(client)
        await stream.login()
        stream.add_account_activity_handler(lambda message: heard.extend(message["content"]))
        await stream.account_activity_sub()
        order_id = await asyncio.to_thread(trader.place, trader.condor("0.50"))
        while not heard or heard[-1]["MESSAGE_TYPE"] != "OrderFillCompleted":
            await asyncio.wait_for(stream.handle_message(), 10)
        await stream.account_activity_unsubs()
        await stream.logout()
        return order_id

    order_id = asyncio.run(listen())

    assert heard[0]["MESSAGE_TYPE"] == "SUBSCRIBED"
    fill = json.loads(heard[-1]["MESSAGE_DATA"])
    assert fill["SchwabOrderID"] == order_id
    assert heard[-1]["ACCOUNT"] == trader.login["accounts"][0]["number"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_signs_in_with_the_address_it_was_sent_to(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    login, paper = trader.login, trader.paper
    monkeypatch.setattr(schwab.auth, "TOKEN_ENDPOINT", f"{paper.url}/v1/oauth/token")
    context = schwab.auth.get_auth_context(login["app_key"], login["callback_url"])
    body = {"client_id": login["app_key"], "redirect_uri": login["callback_url"]}
    sent = trader.call("POST", "/paper/authorize", json={**body, "state": context.state}).json()

    made = schwab.auth.client_from_received_url(
        login["app_key"], login["app_secret"], context, sent["redirect"], lambda *_, **__: None
    )
    lead_to_paper(made, paper, monkeypatch)
    numbers = made.get_account_numbers().json()
    made.session.close()
    gc.collect()  # the library leaves its first connection open; that is told here, not later

    assert [one["hashValue"] for one in numbers] == [trader.account]
