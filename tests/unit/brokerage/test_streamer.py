"""The streamer's messages: what we say, and what we make of everything that can be said to us."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokerage.errors import TokenRefused, UnreadableReply
from brokerage.schwab.exchange import Reply
from brokerage.schwab.streamer import (
    Activity,
    StreamEnded,
    StreamerInfo,
    StreamTaken,
    Talk,
    Weight,
    read_streamer_info,
)

INFO = StreamerInfo("wss://streamer.example/ws", "CUSTOMER", "CORREL", "N9", "APIAPP")
SAID = {
    "streamerSocketUrl": "wss://streamer.example/ws",
    "schwabClientCustomerId": "CUSTOMER",
    "schwabClientCorrelId": "CORREL",
    "schwabClientChannel": "N9",
    "schwabClientFunctionId": "APIAPP",
}


def reply(body: Any) -> Reply:
    return Reply(200, {}, json.dumps(body).encode())


def answer(service: str, command: str, code: Any, words: str = "") -> str:
    content = {"code": code, "msg": words}
    return json.dumps({"response": [{"service": service, "command": command, "content": content}]})


def data(*items: Any, service: str = "ACCT_ACTIVITY") -> str:
    return json.dumps({"data": [{"service": service, "command": "SUBS", "content": list(items)}]})


def item(kind: Any, message: Any = "") -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"seq": 1, "key": "k", "1": "12345678", "2": kind, "3": text}


@pytest.fixture
def talk() -> Talk:
    return Talk(INFO, "TOKEN")


@pytest.fixture
def subscribed(talk: Talk) -> Talk:
    talk.opening()
    talk.hear(answer("ADMIN", "LOGIN", 0))
    talk.hear(answer("ACCT_ACTIVITY", "SUBS", 0))
    return talk


@pytest.mark.parametrize("body", [{"streamerInfo": [SAID]}, [{"streamerInfo": [SAID]}]])
def test_the_preferences_may_be_an_object_or_a_list_of_one(body: Any) -> None:
    assert read_streamer_info(reply(body)) == INFO


@pytest.mark.parametrize(
    "url", ["ws://streamer.example/ws", "https://x/ws", "wss://", "", "wss://user@evil.example/ws"]
)
def test_the_token_is_only_carried_to_an_address_that_is_safe(url: str) -> None:
    with pytest.raises(UnreadableReply):
        read_streamer_info(reply({"streamerInfo": [{**SAID, "streamerSocketUrl": url}]}))


def test_preferences_without_a_streamer_make_no_sense() -> None:
    bodies: list[Any] = [{}, [], {"streamerInfo": []}, {"streamerInfo": 7}]
    for body in bodies:
        with pytest.raises(UnreadableReply):
            read_streamer_info(reply(body))


def test_first_comes_the_login_with_the_bare_token(talk: Talk) -> None:
    (request,) = json.loads(talk.opening())["requests"]

    assert request == {
        "service": "ADMIN",
        "command": "LOGIN",
        "requestid": "1",
        "SchwabClientCustomerId": "CUSTOMER",
        "SchwabClientCorrelId": "CORREL",
        "parameters": {
            "Authorization": "TOKEN",
            "SchwabClientChannel": "N9",
            "SchwabClientFunctionId": "APIAPP",
        },
    }


def test_a_login_that_succeeds_is_followed_by_the_subscription(talk: Talk) -> None:
    talk.opening()
    heard = talk.hear(answer("ADMIN", "LOGIN", 0))

    assert heard.reply is not None
    (request,) = json.loads(heard.reply)["requests"]
    assert (request["service"], request["command"]) == ("ACCT_ACTIVITY", "SUBS")
    assert (request["requestid"], request["parameters"]["fields"]) == ("2", "0,1,2,3")
    assert not talk.is_subscribed


@pytest.mark.parametrize("code", [0, 26, "0", "26"])
def test_both_codes_of_success_subscribe(talk: Talk, code: Any) -> None:
    talk.hear(answer("ACCT_ACTIVITY", "SUBS", code))

    assert talk.is_subscribed


def test_an_answer_that_is_no_list_is_understood(talk: Talk) -> None:
    content = {"code": 0, "msg": ""}
    frame = {"response": {"service": "ADMIN", "command": "LOGIN", "content": content}}

    assert talk.hear(json.dumps(frame)).reply is not None


def test_a_denied_login_asks_for_a_token(talk: Talk) -> None:
    with pytest.raises(TokenRefused, match="token is invalid"):
        talk.hear(answer("ADMIN", "LOGIN", 3, "Login Denied.: token is invalid or has expired."))


def test_another_connection_of_the_user_is_told_apart(subscribed: Talk) -> None:
    with pytest.raises(StreamTaken):
        subscribed.hear(answer("ADMIN", "LOGIN", 12))


@pytest.mark.parametrize("code", [20, 30])
def test_a_farewell_ends_the_stream(subscribed: Talk, code: int) -> None:
    with pytest.raises(StreamEnded):
        subscribed.hear(answer("ADMIN", "LOGIN", code))


@pytest.mark.parametrize("code", [9, 11, 21, 22, None, "soon"])
def test_a_refusal_before_the_subscription_ends_the_attempt(talk: Talk, code: Any) -> None:
    with pytest.raises(StreamEnded):
        talk.hear(answer("ACCT_ACTIVITY", "SUBS", code))


def test_a_refusal_afterwards_is_only_odd(subscribed: Talk) -> None:
    assert subscribed.hear(answer("ACCT_ACTIVITY", "VIEW", 25)).odd == (
        "an answer with the code 25",
    )


def test_heartbeats_are_signs_of_life_and_nothing_else(subscribed: Talk) -> None:
    heard = subscribed.hear('{"notify":[{"heartbeat":"1668715930582"}]}')

    assert (heard.activities, heard.reply, heard.odd) == ((), None, ())


def test_a_fill_is_a_change_of_its_order(subscribed: Talk) -> None:
    message = {"SchwabOrderID": "1001602704574", "BaseEvent": {"EventType": "OrderFillCompleted"}}
    heard = subscribed.hear(data(item("OrderFillCompleted", message)))

    assert heard.activities == (Activity("OrderFillCompleted", Weight.CHANGE, ("1001602704574",)),)


def test_a_replacement_names_both_orders(subscribed: Talk) -> None:
    inner = {"ParentSchwabOrderID": "11", "LifecycleSchwabOrderID": "11"}
    message = {"SchwabOrderID": "12", "BaseEvent": {"ChangeCreatedEventEquityOrder": inner}}

    (activity,) = subscribed.hear(data(item("ChangeCreated", message))).activities

    assert activity.order_ids == ("12", "11")


def test_steps_on_the_way_are_passed_over_and_births_are_told_apart(subscribed: Talk) -> None:
    message = {"SchwabOrderID": "12"}
    kinds = ["SUBSCRIBED", "OrderCreated", "ExecutionRequested", "OrderAccepted"]

    heard = subscribed.hear(data(*(item(kind, message) for kind in kinds)))

    assert [activity.weight for activity in heard.activities] == [Weight.BIRTH, Weight.BIRTH]
    assert heard.odd == ()


def test_an_activity_nobody_knows_may_be_any_change_and_is_told(subscribed: Talk) -> None:
    heard = subscribed.hear(data(item("OrderTeleported", {"SchwabOrderID": "12"})))

    assert heard.activities == (Activity("OrderTeleported", Weight.CHANGE, ("12",)),)
    assert heard.odd == ("an activity called OrderTeleported",)


@pytest.mark.parametrize("message", ["", "{", "no JSON at all", "[]", '{"SchwabOrderID":"x"}'])
def test_an_activity_that_names_no_order_is_about_all_of_them(
    subscribed: Talk, message: str
) -> None:
    (activity,) = subscribed.hear(data(item("OrderFillCompleted", message))).activities

    assert activity.order_ids == ()


def test_other_services_are_odd_and_nothing_else(subscribed: Talk) -> None:
    heard = subscribed.hear(data({"key": "AAPL"}, service="LEVELONE_EQUITIES"))

    assert (heard.activities, heard.odd) == ((), ("data of the service LEVELONE_EQUITIES",))


def test_what_is_said_of_odd_things_holds_nothing_of_them(subscribed: Talk) -> None:
    secret = "eyJhbGciOi.secret-token-1234"
    texts = [
        json.dumps({secret: 1}),
        data(item(secret, secret)),
        data({"x": secret}, service=secret),
        f"not json {secret}",
        json.dumps([secret]),
    ]

    said = " ".join(words for text in texts for words in subscribed.hear(text).odd)

    assert said
    assert "secret" not in said


def test_neither_token_nor_ids_are_in_a_repr(talk: Talk) -> None:
    assert "CUSTOMER" not in repr(INFO)
    assert "CORREL" not in repr(INFO)
    assert "TOKEN" not in repr(talk)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["response", "data", "notify", "content", "service", "1", "2", "3", "code"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.text() | values.map(json.dumps))
def test_no_text_whatever_breaks_the_talk(text: str) -> None:
    talk = Talk(INFO, "TOKEN")
    talk.hear(answer("ACCT_ACTIVITY", "SUBS", 0))
    try:
        heard = talk.hear(text)
    except (StreamEnded, TokenRefused):
        return
    assert heard.reply is None


@given(values, st.sampled_from(["OrderFillCompleted", "OrderCreated", "Whatever"]))
def test_no_message_data_whatever_breaks_it(value: Any, kind: str) -> None:
    talk = Talk(INFO, "TOKEN")

    (activity,) = talk.hear(data(item(kind, value))).activities

    assert activity.kind == kind
