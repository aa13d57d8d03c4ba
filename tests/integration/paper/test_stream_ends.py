"""How a stream ends: by another one, a goodbye, a revoked token, a fault; and what keeps it alive."""

import json

import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.paper.listener import Listener, kinds
from tests.integration.paper.trader import Trader, single
from tests.support.paper import PaperBroker


def test_the_newest_connection_of_a_user_wins(listener: Listener, trader: Trader) -> None:
    listener.subscribe()
    newer = Listener(trader)
    newer.subscribe()

    assert listener.answer()["content"]["code"] == 12
    assert listener.is_closed()
    trader.place(single("F", "BUY", "1.00"))
    assert kinds(newer.events(1)) == ["OrderCreated"]
    newer.close()


def test_heartbeats_come_as_milliseconds_in_a_text(listener: Listener, trader: Trader) -> None:
    set_heartbeat(trader.paper, 0.01)
    listener.login()
    try:
        beat = next(frame for frame in iter(listener.receive, None) if "notify" in frame)
    finally:
        set_heartbeat(trader.paper, 5)

    assert beat["notify"][0]["heartbeat"].isdigit()


def set_heartbeat(paper: PaperBroker, seconds: float) -> None:
    paper.stream(heartbeat_s=seconds)


def test_logout_succeeds_and_closes(listener: Listener) -> None:
    listener.login()
    answer = listener.ask(listener.request("ADMIN", "LOGOUT"))

    assert answer["content"] == {"code": 0, "msg": "SUCCESS"}
    assert listener.is_closed()


def test_a_revoked_token_stops_the_stream(listener: Listener, trader: Trader) -> None:
    listener.subscribe()
    trader.paper.tokens(login=trader.login["user"], access="revoke")

    assert listener.answer()["content"]["code"] == 30
    assert listener.is_closed()


@pytest.mark.parametrize("way", ["drop", "close", "stop", None])
def test_a_stream_can_be_cut(listener: Listener, trader: Trader, way: str | None) -> None:
    listener.subscribe()
    trader.paper.fault("stream_cut", body=way)

    assert listener.is_closed()
    assert trader.paper.faults() == []


def test_a_cut_that_finds_no_stream_waits_for_the_next(listener: Listener, trader: Trader) -> None:
    trader.paper.fault("stream_cut", account=trader.account)
    listener.subscribe()

    assert listener.is_closed()


def test_the_next_login_can_be_denied(listener: Listener, trader: Trader) -> None:
    trader.paper.fault("stream_cut", body="deny")

    assert listener.login()["content"]["code"] == 3


def test_a_cut_for_one_account_leaves_other_streams_alone(
    listener: Listener, trader: Trader
) -> None:
    listener.subscribe()
    other = trader.paper.logins()[1]["accounts"][0]["hash"]
    trader.paper.fault("stream_cut", account=other)
    trader.place(single("F", "BUY", "1.00"))

    assert kinds(listener.events(1)) == ["OrderCreated"]


def test_a_long_text_is_too_much(listener: Listener) -> None:
    listener.login()
    listener.socket.send("x" * 100_000)

    with pytest.raises(ConnectionClosed) as closed:
        listener.socket.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_texts_in_pieces_pings_and_bytes(listener: Listener) -> None:
    request = json.dumps(listener.request("ACCT_ACTIVITY", "UNSUBS"))
    listener.socket.send([request[:10], request[10:30], request[30:]])
    assert listener.answer()["content"]["code"] == 20
    assert listener.socket.ping().wait(timeout=5)

    listener.socket.send(b"bytes")
    assert listener.is_closed()
    assert listener.socket.close_code == 1003
