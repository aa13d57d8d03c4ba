"""What the paper broker's stream tells of orders: step by step, and to nobody else."""

import json

from tests.integration.paper.listener import Listener, inner, kinds, number
from tests.integration.paper.trader import Trader, single


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
