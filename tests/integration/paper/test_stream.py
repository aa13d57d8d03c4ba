"""The paper broker's ACCT_ACTIVITY stream as a plain client meets it: signing in and subscribing."""

import json
from typing import Any

import pytest

from tests.integration.paper.listener import Listener, kinds
from tests.integration.paper.trader import Trader, single


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
