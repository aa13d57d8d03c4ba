"""The paper broker's ACCT_ACTIVITY stream, as a client in plain Python meets it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.integration.paper.trader import Trader, single
from tests.support.paper import PaperBroker

Frame = dict[str, Any]


class Listener:
    """A client of one login's stream."""

    def __init__(self, trader: Trader) -> None:
        info = trader.call("GET", "/trader/v1/userPreference").json()["streamerInfo"][0]
        self.url = info["streamerSocketUrl"]
        self.ids = {
            "SchwabClientCustomerId": info["schwabClientCustomerId"],
            "SchwabClientCorrelId": info["schwabClientCorrelId"],
        }
        self.token = trader.tokens["access_token"]
        self._stack = ExitStack()
        self.socket: ClientConnection = self._stack.enter_context(connect(self.url, proxy=None))
        self.frames: list[Frame] = []
        self.told: list[Frame] = []

    def request(
        self, service: str, command: str, request_id: Any = "1", **parameters: Any
    ) -> Frame:
        head = {"service": service, "command": command, "requestid": request_id}
        return {**head, **self.ids, "parameters": parameters}

    def ask(self, request: Frame) -> Frame:
        """Send a request in a list, and return its answer."""
        self.socket.send(json.dumps({"requests": [request]}))
        return self.answer()

    def answer(self) -> Frame:
        """Return the next answer; what comes before it is kept."""
        while "response" not in (frame := self.receive()):
            self.frames.append(frame)
        (answer,) = frame["response"]
        return dict(answer)

    def receive(self) -> Frame:
        frame = json.loads(self.socket.recv(timeout=5))
        assert isinstance(frame, dict)
        return frame

    def login(self, token: str | None = None) -> Frame:
        parameters = {"SchwabClientChannel": "N9", "SchwabClientFunctionId": "APIAPP"}
        return self.ask(
            self.request("ADMIN", "LOGIN", "7", Authorization=token or self.token, **parameters)
        )

    def subscribe(self) -> Frame:
        self.login()
        return self.ask(self.request("ACCT_ACTIVITY", "SUBS", keys="ours", fields="0,1,2,3"))

    def items(self, most: int) -> list[Frame]:
        """Return this many items of what happened, in order."""
        while len(self.told) < most:
            frame = self.frames.pop(0) if self.frames else self.receive()
            self.told += [item for part in frame.get("data", []) for item in part["content"]]
        found, self.told = self.told[:most], self.told[most:]
        return found

    def events(self, most: int) -> list[Frame]:
        """Return what the items tell, behind the one that says SUBSCRIBED."""
        return [json.loads(item["3"]) for item in self.items(most + 1)[1:]]

    def close(self) -> None:
        self._stack.close()

    def is_closed(self) -> bool:
        try:
            while True:
                self.receive()
        except ConnectionClosed:
            return True


@pytest.fixture
def listener(trader: Trader) -> Iterator[Listener]:
    client = Listener(trader)
    yield client
    client.close()


def kinds(events: list[Frame]) -> list[str]:
    return [event["BaseEvent"]["EventType"] for event in events]


def inner(event: Frame) -> Frame:
    (found,) = (value for key, value in event["BaseEvent"].items() if key != "EventType")
    assert isinstance(found, dict)
    return found


def number(raw: Frame) -> float:
    """Read a decimal: an integer in `lo`, its sign and scale together in `signScale`."""
    sign_scale = raw.get("signScale", 0)
    sign = -1 if sign_scale & 1 else 1
    return float(sign * int(raw.get("lo", 0)) / 10 ** (sign_scale >> 1))


def test_the_preferences_name_the_socket_of_the_port_they_were_asked_on(trader: Trader) -> None:
    shown = trader.call("GET", "/trader/v1/userPreference").json()["streamerInfo"][0]

    assert shown["streamerSocketUrl"] == f"ws://127.0.0.1:{trader.paper.port}/ws"
    assert len(shown["schwabClientCustomerId"]) == 64


def test_a_login_is_answered_in_a_list_with_its_id_as_text(listener: Listener) -> None:
    answer = listener.login()

    assert answer.pop("timestamp") > 10**12
    assert answer == {
        "service": "ADMIN",
        "command": "LOGIN",
        "requestid": "7",
        "SchwabClientCorrelId": listener.ids["SchwabClientCorrelId"],
        "content": {"code": 0, "msg": "server=s0166bdv-1;status=NP"},
    }


def test_a_bare_request_and_a_number_as_id_are_understood_too(listener: Listener) -> None:
    listener.login()
    request = listener.request("ACCT_ACTIVITY", "SUBS", 8, keys="x", fields="0,1,2,3")
    listener.socket.send(json.dumps(request))

    answer = listener.answer()

    assert (answer["requestid"], answer["content"]["code"]) == ("8", 0)


def test_a_wrong_token_is_denied_and_the_line_closed(listener: Listener) -> None:
    answer = listener.login("not-a-token")

    assert answer["content"] == {
        "code": 3,
        "msg": "Login Denied.: token is invalid or has expired.",
    }
    assert listener.is_closed()


def test_an_expired_token_is_denied_but_ends_no_stream_that_is_open(
    listener: Listener, trader: Trader
) -> None:
    listener.subscribe()
    trader.paper.tokens(login=trader.login["user"], access="expire")

    late = Listener(trader_with_same_ids(trader, listener))
    assert late.login()["content"]["code"] == 3
    late.close()

    trader.sign_in()
    trader.place(single("F", "BUY", "1.00"))
    assert kinds(listener.events(2)) == ["OrderCreated", "OrderAccepted"]


def trader_with_same_ids(trader: Trader, listener: Listener) -> Any:
    """Stand in for a customer whose token has ended: he cannot ask for his preferences."""

    class Known:
        tokens = trader.tokens

        def call(self, *_: Any) -> Any:
            return self

        def json(self) -> Any:
            ids = listener.ids
            info = {
                "streamerSocketUrl": listener.url,
                "schwabClientCustomerId": ids["SchwabClientCustomerId"],
                "schwabClientCorrelId": ids["SchwabClientCorrelId"],
            }
            return {"streamerInfo": [info]}

    return Known()


def test_before_the_login_there_is_no_stream_to_subscribe_with(listener: Listener) -> None:
    answer = listener.ask(listener.request("ACCT_ACTIVITY", "SUBS", keys="x"))

    assert answer["content"]["code"] == 20


def test_only_subs_and_unsubs_are_for_activity(listener: Listener) -> None:
    listener.login()

    codes = {
        (service, command): listener.ask(listener.request(service, command))["content"]["code"]
        for service, command in [
            ("ACCT_ACTIVITY", "ADD"),
            ("ACCT_ACTIVITY", "VIEW"),
            ("ACCT_ACTIVITY", "DANCE"),
            ("ACCT_ACTIVITY", "UNSUBS"),
            ("LEVELONE_EQUITIES", "SUBS"),
            ("ADMIN", "LOGIN"),
        ]
    }

    assert codes == {
        ("ACCT_ACTIVITY", "ADD"): 24,
        ("ACCT_ACTIVITY", "VIEW"): 25,
        ("ACCT_ACTIVITY", "DANCE"): 21,
        ("ACCT_ACTIVITY", "UNSUBS"): 0,
        ("LEVELONE_EQUITIES", "SUBS"): 11,
        ("ADMIN", "LOGIN"): 21,
    }


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"requests": 1}', '{"requests": [1]}'])
def test_what_is_no_request_is_a_bad_command(listener: Listener, text: str) -> None:
    listener.socket.send(text)

    assert listener.answer()["content"]["code"] == 21


def test_the_first_item_says_that_the_subscription_stands(listener: Listener) -> None:
    answer = listener.subscribe()

    assert answer["content"]["code"] == 0
    assert listener.items(1) == [{"seq": 1, "key": "ours", "1": "", "2": "SUBSCRIBED", "3": ""}]


def test_a_fill_is_told_step_by_step_and_leg_by_leg(listener: Listener, trader: Trader) -> None:
    listener.subscribe()
    order_id = trader.place(trader.condor("0.50"))

    events = listener.events(9)

    assert kinds(events) == [
        "OrderCreated",
        "OrderAccepted",
        "ExecutionRequested",
        "ExecutionRequestCreated",
        "ExecutionRequestCompleted",
        *["OrderFillCompleted"] * 4,
    ]
    assert {event["SchwabOrderID"] for event in events} == {order_id}
    number_of_account = trader.login["accounts"][0]["number"]
    assert {event["AccountNumber"] for event in events} == {number_of_account}
    filled = trader.order(order_id)["orderActivityCollection"][0]["executionLegs"]
    told = [number(inner(event)["ExecutionInfo"]["ExecutionPrice"]) for event in events[5:]]
    assert told == [leg["price"] for leg in filled]
    created = inner(events[0])["Order"]["Order"]["AssetOrderEquityOrderLeg"]
    assert created["AssetType"] == "MajorAssetType_EquityOption"
    assert len(created["OrderLegs"]) == 4
    assert created["EquityOrder"]["MultiLegStrategyType"] == "Iron_Condor"


def test_a_partial_fill_leaves_a_quantity(listener: Listener, trader: Trader) -> None:
    listener.subscribe()
    trader.paper.market(fills="manual")
    order_id = trader.place(single("F", "BUY", "5.00", quantity=10))
    trader.paper.fill(order_id, quantity=4, price="4.50")

    fill = inner(listener.events(6)[-1])

    assert fill["LegId"] == order_id
    assert number(fill["QuantityInfo"]["LeavesQuantity"]) == 6
    assert number(fill["ExecutionInfo"]["ExecutionQuantity"]) == 4
    assert number(fill["ExecutionInfo"]["ExecutionPrice"]) == 4.5
    assert fill["LegSubStatus"] == "LegSubStatusPartiallyFilled"


def test_a_cancel_is_told_as_out_on_the_customer_s_wish(listener: Listener, trader: Trader) -> None:
    listener.subscribe()
    order_id = trader.place(single("F", "BUY", "1.00"))
    trader.on_account("DELETE", f"/orders/{order_id}")

    events = listener.events(10)[5:]

    assert kinds(events) == [
        "CancelAccepted",
        "ExecutionRequested",
        "ExecutionRequestCompleted",
        "ExecutionCreated",
        "OrderUROutCompleted",
    ]
    assert inner(events[2])["RouteStatus"] == 8
    assert inner(events[4])["OutCancelType"] == "ClientCancel"


def test_a_rejection_is_a_system_reject_with_its_rule(listener: Listener, trader: Trader) -> None:
    listener.subscribe()
    trader.paper.fault("reject", body="No trades are currently allowed")
    trader.place(single("F", "BUY", "1.00"))

    events = listener.events(2)

    assert kinds(events) == ["OrderCreated", "OrderUROutCompleted"]
    assert inner(events[1])["OutCancelType"] == "SystemReject"
    (rule,) = inner(events[1])["ValidationDetail"]
    assert rule["NgOMSRuleDescription"] == "No trades are currently allowed"


def test_a_replacement_names_its_parent(listener: Listener, trader: Trader) -> None:
    listener.subscribe()
    old_id = trader.place(single("F", "BUY", "1.00"))
    answer = trader.on_account("PUT", f"/orders/{old_id}", json=single("F", "BUY", "1.10"))
    new_id = answer.headers["Location"].rpartition("/")[2]

    events = listener.events(12)[5:]

    assert kinds(events)[:2] == ["ChangeCreated", "ChangeAccepted"]
    assert events[0]["SchwabOrderID"] == new_id
    assert inner(events[0])["ParentSchwabOrderID"] == old_id
    (cancel,) = (event for event in events if kinds([event]) == ["CancelAccepted"])
    assert cancel["SchwabOrderID"] == old_id
    assert inner(cancel)["ChangedNewSchwabOrderId"] == new_id


def test_a_day_order_that_the_bell_ends_is_told_as_expired(
    listener: Listener, trader: Trader
) -> None:
    listener.subscribe()
    trader.paper.market(hours="always")
    trader.place(single("F", "BUY", "1.00"))
    listener.events(5)
    trader.paper.clock(-offset_to_night(trader))
    trader.paper.market(hours="nyse")

    (event,) = (json.loads(item["3"]) for item in listener.items(1))

    assert kinds([event]) == ["OrderExpired"]
    assert inner(event)["ExpirationType"] == "DayOrderExpiry"


def offset_to_night(_: Trader) -> float:
    """Return by how much the clock is to be set back so that it is three in the morning."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    now = datetime.now(ZoneInfo("America/New_York"))
    return (now - now.replace(hour=3, minute=0)).total_seconds() % 86_400


def test_one_login_hears_of_no_other_s_orders(listener: Listener, trader: Trader) -> None:
    listener.subscribe()
    other = Trader(trader.paper, 1)
    other.place(single("F", "BUY", "1.00"))
    mine = trader.place(single("F", "BUY", "1.00"))

    assert {event["SchwabOrderID"] for event in listener.events(5)} == {mine}
    other.session.close()


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
