"""What the broker may answer, or not answer, to a placing: each ends with the truth on record.

Every row has an account of its own, and all of them are broadcast to in one storm.
"""

import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from tests.faults.installation import HURRIED, Installation
from tests.faults.storm import Fault, Send, Storm
from tests.support.stack import free_ports
from tests.support.tcp_proxy import Mode, TcpProxy

HAND, OURS = "API_TOS:TRADE_ALL", "TA_PAPER999"
CUT_LISTS = 12
LATE_BY_S = 3

# At the broker, although the product was not told so, or not told which order.
PLACED: dict[str, Fault] = {
    "F16 it never answers": {"fault": "never_answer_after"},
    "F17 it hangs up": {"fault": "drop_after"},
    "F18 it answers 500": {"fault": "http_500_after"},
    "F20 it does not say which order": {"fault": "no_location"},
    "F21 it names an order that does not exist": {"fault": "wrong_location"},
    "F22 its answer breaks off": {"fault": "truncated"},
    "F22 its answer has a broken body": {"fault": "bad_json"},
    "F23 its answer drips": {"fault": "drip", "delay_ms": 900},
}
# Not at the broker, but only its lists can prove it.
NOT_PLACED: dict[str, Fault] = {
    "F19 it answers 500": {"fault": "http_500"},
    "F19 it hangs up": {"fault": "drop_before"},
    "F19 it answers 400 with a 500 inside": {"fault": "http_400_500_body"},
    "F19 a page says 403": {"fault": "html_403"},
    "F35 it redirects": {"fault": "redirect"},
}
# Refused for now, in so many words.
TRIED_AGAIN: dict[str, Fault] = {
    "F31 wait a second": {"fault": "http_429", "retry_after": 1},
    "F31 wait until a date": {"fault": "http_429", "retry_after": formatdate(0, usegmt=True)},
    "F31 wait for soon": {"fault": "http_429", "retry_after": "soon"},
    "F31 wait": {"fault": "http_429"},
    "F32 who are you": {"fault": "http_401"},
}
REFUSED: dict[str, Fault] = {
    "F31 wait a minute": {"fault": "http_429", "retry_after": 60},
    "F32 who are you, twice": {"fault": "http_401", "times": 2},
}
SIMPLE: dict[str, Fault] = {**PLACED, **NOT_PLACED, **TRIED_AGAIN, **REFUSED}


def _after_another(storm: Storm, row: str) -> None:
    earlier = storm.trader.broadcast([storm.accounts[row]])
    storm.trader.wait_for(earlier, "FILLED")
    storm.lay(row, "wrong_location")
    storm.send(row)


def _after_a_stranger(storm: Storm, row: str) -> None:
    storm.make_twin(row, storm.trader.ticket(limit="9.00"), HAND)
    storm.lay(row, "wrong_location")
    storm.send(row)


def _listed_late(storm: Storm, row: str) -> None:
    """It is accepted, and seen by nobody for a while: here it is made later, with our tag."""
    storm.lay(row, "drop_before")
    ticket = storm.send(row)
    time.sleep(LATE_BY_S)
    storm.trader.make_by_hand(storm.accounts[row], ticket, OURS)


def _cut_lists(storm: Storm, row: str) -> None:
    storm.lay(row, "cut_list", method="GET", times=CUT_LISTS)
    storm.lay(row, "drop_before")
    storm.send(row)


def _unknown_word(storm: Storm, row: str) -> None:
    # More than one: a look at what the stream tells may come before the order is known to be ours.
    storm.lay(row, "unknown_status", method="GET", times=3)
    storm.lay(row, "drop_after")
    storm.send(row)


SPECIAL: dict[str, Send] = {
    "F21 it names another order of ours": _after_another,
    "F21 it names a stranger's order": _after_a_stranger,
    "F25 its lists are cut": _cut_lists,
    "F27 two of ours": lambda storm, row: storm.send_beside_twin(row, "drop_after", OURS),
    "F28 a stranger's twin": lambda storm, row: storm.send_beside_twin(row, "drop_before", HAND),
    "F28 ours and a twin": lambda storm, row: storm.send_beside_twin(row, "drop_after", HAND),
    "F48 a word nobody knows": _unknown_word,
    "F24 listed late": _listed_late,
}
ROWS = [*SIMPLE, *SPECIAL]


@pytest.fixture(scope="module")
def proxied(tmp_path_factory) -> Iterator[tuple[Installation, TcpProxy]]:
    """An installation with a spare account, and the proxy between it and its broker."""
    ports = free_ports()
    with TcpProxy(ports[1] + 1) as proxy:
        installation = Installation(
            tmp_path_factory.mktemp("faults") / "home",
            ports=ports,
            settings={
                **HURRIED,
                "TRADESWIM_BROKER_URL": f"https://127.0.0.1:{proxy.port}",
                "DEMO_ACCOUNTS": str(len(ROWS) + 1),
                "TRADESWIM_READY_DEADLINE_S": "8",
            },
        )
        yield installation, proxy
        installation.end()


@pytest.fixture(scope="module")
def installation(proxied) -> Installation:
    own: Installation = proxied[0]
    return own


@pytest.fixture(scope="module")
def storm(trader, witness) -> Storm:
    """All rows, broadcast at once and waited for."""
    storm = Storm(trader, dict(zip(ROWS, trader.accounts, strict=False)))
    for row, fault in SIMPLE.items():
        soon = formatdate(time.time() + 2, usegmt=True)
        storm.lay(row, **({**fault, "retry_after": soon} if "date" in row else fault))
        storm.send(row)
    for row, send in SPECIAL.items():
        send(storm, row)
    storm.wait(40)
    witness.by_hand.update(storm.by_hand.values())
    return storm


@pytest.mark.parametrize("row", [*PLACED, "F24 listed late"])
def test_an_order_that_is_there_is_found(storm, holds, row):
    """F16, F17, F18, F20, F21, F22, F23, F24."""
    share = storm.share(row)

    assert share["status"] == "FILLED", share
    assert storm.at_broker(row) == [share["broker_order_id"]]
    holds(storm.orders[row])


@pytest.mark.parametrize("row", NOT_PLACED)
def test_an_order_that_is_not_there_is_proved_absent_and_never_sent_again(storm, holds, row):
    """F19, F35."""
    share = storm.share(row)

    assert (share["status"], share["reason_code"]) == ("FAILED_TO_PLACE", "PROVED_ABSENT"), share
    assert len(_requests(storm, row)) == 1
    assert storm.at_broker(row) == []
    holds(storm.orders[row])


@pytest.mark.parametrize("row", TRIED_AGAIN)
def test_an_order_refused_for_now_is_tried_once_more_in_time(storm, holds, row):
    """F31, F32."""
    share = storm.share(row)

    assert share["status"] == "FILLED", share
    assert len(_requests(storm, row)) == 2
    holds(storm.orders[row])


@pytest.mark.parametrize(
    ("row", "reason"), [*zip(REFUSED, ["STALE_UNSENT", "REFUSED"], strict=True)]
)
def test_an_order_refused_for_too_long_has_failed(storm, holds, row, reason):
    """F31, F32."""
    share = storm.share(row)

    assert (share["status"], share["reason_code"]) == ("FAILED_TO_PLACE", reason), share
    assert storm.at_broker(row) == []
    holds(storm.orders[row])


@pytest.mark.parametrize(
    "row", ["F21 it names another order of ours", "F21 it names a stranger's order"]
)
def test_an_order_under_a_wrong_number_gets_its_own(storm, holds, row):
    """F21."""
    share = storm.share(row)

    assert share["status"] == "FILLED", share
    assert storm.at_broker(row) == [share["broker_order_id"]]
    holds(storm.orders[row])


def test_lists_that_cannot_be_read_prove_nothing(storm, holds):
    """F25."""
    row = "F25 its lists are cut"
    share = storm.share(row)
    lists = [one for one in _requests(storm, row, "GET") if one["path"].endswith("/orders")]

    assert share["reason_code"] == "PROVED_ABSENT", share
    assert len(lists) >= CUT_LISTS + 3
    holds(storm.orders[row])


def test_two_orders_that_could_be_ours_are_for_the_agent_to_tell_apart(storm, holds):
    """F27."""
    row = "F27 two of ours"
    share = storm.share(row)

    assert (share["status"], share["needs_agent"]) == ("UNKNOWN", True), share
    assert share["broker_order_id"] is None
    assert len(storm.at_broker(row)) == 2
    holds(storm.orders[row])


def test_an_order_made_by_hand_is_never_taken_for_ours(storm, holds):
    """F28: nor does it let the machine say that there is none of ours."""
    row = "F28 a stranger's twin"
    share = storm.share(row)

    assert (share["status"], share["needs_agent"]) == ("UNKNOWN", True), share
    assert share["broker_order_id"] is None
    holds(storm.orders[row])


def test_our_order_is_found_beside_the_same_made_by_hand(storm, holds):
    """F28."""
    row = "F28 ours and a twin"
    share = storm.share(row)

    assert share["status"] == "FILLED", share
    assert share["broker_order_id"] in storm.at_broker(row)
    assert share["broker_order_id"] != storm.by_hand[row]
    holds(storm.orders[row])


def test_a_status_nobody_knows_is_a_live_order(storm, installation, holds):
    """F48."""
    row = "F48 a word nobody knows"
    share = storm.share(row)
    seen = installation.database.rows("SELECT new FROM accounts_auditevent WHERE kind = 'broker'")

    assert share["status"] == "FILLED", share
    assert "PENDING_VENUE_REVIEW" in {event["new"] for event in seen}
    holds(storm.orders[row])


def test_a_broker_that_cannot_be_reached_got_nothing(proxied, trader, storm, holds):
    """F30: one retry at once, no more."""
    _, proxy = proxied
    proxy.set(Mode.REFUSE)
    try:
        order = trader.broadcast([trader.accounts[-1]])
        (share,) = trader.wait_for(order, "FAILED_TO_PLACE")
    finally:
        proxy.set(Mode.OK)

    assert share["reason_code"] == "NOT_SENT", share
    assert trader.orders_like(order) == []
    holds(order)


def _requests(storm: Storm, row: str, method: str = "POST") -> list[dict[str, Any]]:
    account = storm.trader.hashes[storm.accounts[row]]
    rows = storm.trader.paper("journal?since=0")
    return [one for one in rows if (one["method"], one["account"]) == (method, account)]
