"""Order objects as the broker really shows them."""

import contextlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokerage import errors
from brokerage.schwab import replies
from brokerage.schwab.exchange import Reply
from brokerage.schwab.replies import BrokerFill, BrokerLeg, read_order, read_orders


def ok(body):
    return Reply(200, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


FILLED: dict[str, Any] = {
    "session": "NORMAL",
    "duration": "DAY",
    "orderType": "NET_DEBIT",
    "complexOrderStrategyType": "VERTICAL",
    "quantity": 1.0,
    "filledQuantity": 1.0,
    "remainingQuantity": 0.0,
    "destinationLinkName": "WEXM",
    "price": 0.17,
    "orderLegCollection": [
        {
            "orderLegType": "OPTION",
            "legId": 1,
            "instrument": {"assetType": "OPTION", "symbol": "MRVL  250131C00127000"},
            "instruction": "BUY_TO_CLOSE",
            "positionEffect": "CLOSING",
            "quantity": 1.0,
        },
        {
            "orderLegType": "OPTION",
            "legId": 2,
            "instrument": {"assetType": "OPTION", "symbol": "MRVL  250131C00130000"},
            "instruction": "SELL_TO_CLOSE",
            "positionEffect": "CLOSING",
            "quantity": 1.0,
        },
    ],
    "orderStrategyType": "SINGLE",
    "orderId": 1002613435352,
    "cancelable": False,
    "editable": False,
    "status": "FILLED",
    "enteredTime": "2025-01-24T18:53:10+0000",
    "closeTime": "2025-01-24T18:53:11+0000",
    "tag": "TA_x1737744790",
    "accountNumber": 11111111,
    "orderActivityCollection": [
        {
            "activityType": "EXECUTION",
            "activityId": 91437824940,
            "executionType": "FILL",
            "quantity": 1.0,
            "orderRemainingQuantity": 0.0,
            "executionLegs": [
                {
                    "legId": 2,
                    "quantity": 1.0,
                    "mismarkedQuantity": 0.0,
                    "price": 0.29,
                    "time": "2025-01-24T18:53:11+0000",
                    "instrumentId": 228215124,
                },
                {
                    "legId": 1,
                    "quantity": 1.0,
                    "mismarkedQuantity": 0.0,
                    "price": 0.46,
                    "time": "2025-01-24T18:53:11+0000",
                    "instrumentId": 228798252,
                },
            ],
        }
    ],
}
OCO_PARENT = {
    "orderStrategyType": "OCO",
    "orderId": 1002613435360,
    "cancelable": True,
    "editable": False,
    "enteredTime": "2025-01-24T18:53:10+0000",
    "accountNumber": 11111111,
    "childOrderStrategies": [FILLED, {"orderId": 5}],
}

OCO_ENDED = {**OCO_PARENT, "childOrderStrategies": [FILLED, {**FILLED, "status": "CANCELED"}]}


def test_a_filled_vertical_is_read_with_its_fills():
    order = read_order(ok(FILLED))

    at = datetime(2025, 1, 24, 18, 53, 11, tzinfo=UTC)
    assert (order.order_id, order.account_number, order.status) == (
        "1002613435352",
        "11111111",
        "FILLED",
    )
    assert [order.quantity, order.filled, order.remaining] == [1, 1, 0]
    assert (order.price, order.order_type, order.tag) == (
        Decimal("0.17"),
        "NET_DEBIT",
        "TA_x1737744790",
    )
    assert (order.entered_at, order.closed_at) == (at.replace(second=10), at)
    assert order.legs == (
        BrokerLeg(1, "MRVL  250131C00127000", "BUY_TO_CLOSE", Decimal(1)),
        BrokerLeg(2, "MRVL  250131C00130000", "SELL_TO_CLOSE", Decimal(1)),
    )
    assert order.fills == (
        BrokerFill("91437824940", 2, Decimal(1), Decimal("0.29"), at),
        BrokerFill("91437824940", 1, Decimal(1), Decimal("0.46"), at),
    )
    assert order.is_terminal


def test_numbers_keep_the_digits_the_broker_wrote():
    assert str(read_order(ok(FILLED)).fills[1].price) == "0.46"
    assert read_order(ok(FILLED)).raw["price"] == Decimal("0.17")


@pytest.mark.parametrize("kind", ["CANCELED", "CANCEL_REPLACE", None])
def test_an_execution_that_is_no_fill_is_none(kind):
    activity = {**FILLED["orderActivityCollection"][0], "executionType": kind}

    assert read_order(ok({**FILLED, "orderActivityCollection": [activity]})).fills == ()


def test_a_rejected_order_tells_why():
    why = "The account is not approved for this level of options trading."
    raw = {**FILLED, "status": "REJECTED", "statusDescription": why, "filledQuantity": 0.0}
    del raw["orderActivityCollection"]

    order = read_order(ok(raw))

    assert (order.status, order.status_description, order.fills) == ("REJECTED", why, ())


def test_a_status_nobody_has_heard_of_is_kept_raw_and_not_final():
    order = read_order(ok({**FILLED, "status": "AWAITING_MOONRISE"}))

    assert order.status == "AWAITING_MOONRISE"
    assert not order.is_terminal


def test_a_list_keeps_its_orders_whatever_stands_between_them():
    page = read_orders(
        ok([FILLED, OCO_PARENT, {"status": "WORKING"}, 7, {**FILLED, "orderId": "8"}])
    )

    assert [order.order_id for order in page.orders] == ["1002613435352", "1002613435360", "8"]
    assert (page.rows, page.unreadable) == (5, 2)


def test_the_parent_of_an_oco_has_neither_status_nor_legs():
    order = read_orders(ok([OCO_PARENT])).orders[0]

    assert (order.status, order.legs, order.fills) == ("UNKNOWN", (), ())
    assert not order.is_terminal


def test_of_a_list_what_can_still_trade_is_read_brackets_too():
    entered = OCO_PARENT["enteredTime"]
    stop = {**FILLED, "orderId": 21, "status": "AWAITING_STOP_CONDITION", "enteredTime": None}
    waits = {**FILLED, "orderId": 22, "status": "AWAITING_PARENT_ORDER"}
    del stop["accountNumber"]
    oco = {**OCO_PARENT, "childOrderStrategies": [FILLED, stop]}
    trigger = {**FILLED, "orderId": 20, "enteredTime": entered, "childOrderStrategies": [oco]}
    unfilled = {**FILLED, "orderId": 23, "status": "WORKING", "childOrderStrategies": [waits]}
    page = replies.read_working_orders(ok([FILLED, trigger, unfilled, OCO_ENDED, 7]))

    found = {order.order_id: order for order in page.orders}
    assert found.keys() == {str(OCO_PARENT["orderId"]), "21", "22", "23"}
    assert (found["21"].account_number, found["21"].entered_at) == (
        "11111111",
        datetime(2025, 1, 24, 18, 53, 10, tzinfo=UTC),
    )
    assert [name for name, order in found.items() if order.is_dormant] == ["22"]
    assert (page.rows, page.unreadable) == (5, 1)


def test_an_empty_list_is_an_answer():
    assert read_orders(ok([])) == replies.OrderPage((), 0, 0)


@pytest.mark.parametrize("order_id", [None, "", "12x", 0, -5, "١٢", 1.5, True, [1]])
def test_a_row_without_a_usable_id_counts_as_unreadable(order_id):
    page = read_orders(ok([{**FILLED, "orderId": order_id}]))

    assert (page.orders, page.unreadable) == ((), 1)


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": "many"},
        {"filledQuantity": [1]},
        {"price": 1e300},
        {"enteredTime": "yesterday"},
        {"orderLegCollection": {"legId": 1}},
        {"orderLegCollection": [None]},
        {"orderActivityCollection": [{"executionType": "FILL", "executionLegs": [{"legId": 1}]}]},
    ],
)
def test_a_row_that_makes_no_sense_hides_no_other_and_is_counted(change):
    page = read_orders(ok([{**FILLED, **change}, FILLED]))

    assert (len(page.orders), page.unreadable) == (1, 1)
    with pytest.raises(errors.UnreadableReply):
        read_order(ok({**FILLED, **change}))


def test_one_order_may_come_wrapped_in_a_list():
    assert read_order(ok([FILLED])).order_id == "1002613435352"


def test_a_repr_shows_neither_account_number_nor_raw_object():
    assert "11111111" not in repr(read_order(ok(FILLED)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *FILLED,
                    *FILLED["orderLegCollection"][0],
                    "executionLegs",
                    "executionType",
                    "securitiesAccount",
                    "currentBalances",
                    "callExpDateMap",
                    "quote",
                    "errors",
                    "expirationList",
                    "positions",
                    "type",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
READERS = [getattr(replies, name) for name in replies.__all__ if name.startswith("read_")]


@given(st.sampled_from(READERS), JSON)
@settings(deadline=None, max_examples=400)
def test_whatever_the_json_a_reader_reads_it_or_calls_it_unreadable(reader, body):
    with contextlib.suppress(errors.UnreadableReply):
        assert reader(ok(body)) is not None


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[" * 100_000, b"\xff\xfe{", b'{"a":1', b"NaN", b"null"]
)
def test_what_is_no_json_is_unreadable(reader, body):
    with pytest.raises(errors.UnreadableReply):
        reader(ok(body))
