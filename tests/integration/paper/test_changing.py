"""Orders that are cancelled, replaced or previewed."""

from decimal import Decimal

import pytest

from tests.integration.paper.trader import Trader, closing, net_of, single


def test_a_cancel_is_answered_empty_and_leaves_an_execution_that_is_no_fill(
    trader: Trader,
) -> None:
    order_id = trader.place(trader.condor("4.95", quantity=2))

    answer = trader.on_account("DELETE", f"/orders/{order_id}")
    shown = trader.order(order_id)

    (activity,) = shown["orderActivityCollection"]
    assert (answer.status_code, answer.content) == (200, b"")
    assert (shown["status"], shown["remainingQuantity"]) == ("CANCELED", 0.0)
    assert (activity["activityType"], activity["executionType"]) == ("EXECUTION", "CANCELED")
    assert activity["quantity"] == 2.0
    assert [one["price"] for one in activity["executionLegs"]] == [0.0] * 4
    assert "closeTime" in shown


def test_a_partly_filled_order_keeps_what_was_filled_when_it_is_cancelled(trader: Trader) -> None:
    trader.paper.market(fills="manual")
    order_id = trader.place(trader.condor("1.00", quantity=3))
    trader.paper.fill(order_id, quantity=1)

    trader.on_account("DELETE", f"/orders/{order_id}")

    shown = trader.order(order_id)
    kinds = [one["executionType"] for one in shown["orderActivityCollection"]]
    assert (shown["status"], shown["filledQuantity"]) == ("CANCELED", 1.0)
    assert kinds == ["FILL", "CANCELED"]


def test_a_closed_order_cannot_be_cancelled_or_replaced(trader: Trader) -> None:
    order_id = trader.place(trader.condor("0.50"))

    cancelled = trader.on_account("DELETE", f"/orders/{order_id}")
    replaced = trader.on_account("PUT", f"/orders/{order_id}", json=trader.condor("0.60"))

    assert (cancelled.status_code, replaced.status_code) == (400, 400)
    assert cancelled.json() == {"message": "Order cannot be canceled"}


@pytest.mark.parametrize(("method", "path"), [("GET", "1234567890123"), ("DELETE", "1")])
def test_an_unknown_order_is_not_found(trader: Trader, method: str, path: str) -> None:
    answer = trader.on_account(method, f"/orders/{path}")

    assert (answer.status_code, answer.json()) == (404, {"message": "Order not found"})


def test_a_replace_ends_the_old_order_and_names_the_new_one(trader: Trader) -> None:
    old_id = trader.place(trader.condor("4.95"))

    answer = trader.on_account("PUT", f"/orders/{old_id}", json=trader.condor("4.90"))
    new_id = answer.headers["Location"].rpartition("/")[2]
    old, new = trader.order(old_id), trader.order(new_id)

    assert (answer.status_code, answer.content) == (201, b"")
    assert int(new_id) > int(old_id)
    assert (old["status"], old["closeTime"]) == ("REPLACED", new["enteredTime"])
    assert old["orderActivityCollection"][0]["executionType"] == "CANCEL_REPLACE"
    assert (new["status"], new["price"]) == ("WORKING", 4.9)


def test_a_replace_may_fill_at_once(trader: Trader) -> None:
    old_id = trader.place(trader.condor("4.95"))

    answer = trader.on_account("PUT", f"/orders/{old_id}", json=trader.condor("0.50"))

    assert trader.status(answer.headers["Location"].rpartition("/")[2]) == "FILLED"


def test_the_same_order_again_is_no_replacement(trader: Trader) -> None:
    order = trader.condor("4.95")
    order_id = trader.place(order)

    answer = trader.on_account("PUT", f"/orders/{order_id}", json=order)

    assert answer.status_code == 400
    assert trader.status(order_id) == "WORKING"


def test_a_rejected_replacement_leaves_the_order_working(trader: Trader) -> None:
    old_id = trader.place(trader.condor("4.95"))

    answer = trader.on_account("PUT", f"/orders/{old_id}", json=trader.condor("4.91"))

    assert answer.status_code == 201
    assert trader.status(answer.headers["Location"].rpartition("/")[2]) == "REJECTED"
    assert trader.status(old_id) == "WORKING"


def test_a_replacement_may_use_the_holdings_and_funds_of_the_order_it_replaces(
    trader: Trader,
) -> None:
    opened = trader.condor("0.50")
    trader.place(opened)
    close_id = trader.place(closing(opened, "0.05"))

    answer = trader.on_account("PUT", f"/orders/{close_id}", json=closing(opened, "5.00"))

    assert trader.status(answer.headers["Location"].rpartition("/")[2]) == "FILLED"
    assert trader.paper.positions()[trader.account] == {}


def test_the_broker_may_replace_an_order_by_itself(trader: Trader) -> None:
    trader.paper.market(fills="manual")
    old_id = trader.place(trader.condor("1.00", quantity=3))
    trader.paper.fill(old_id, quantity=1)

    new_id = trader.paper.replace(old_id)

    old, new = trader.order(old_id), trader.order(new_id)
    assert (old["status"], old["filledQuantity"]) == ("REPLACED", 1.0)
    assert (new["status"], new["quantity"], new["price"]) == ("WORKING", 2.0, 1.0)
    assert new["tag"] == old["tag"]


def test_a_preview_of_a_good_order_is_accepted_and_places_nothing(trader: Trader) -> None:
    answer = trader.on_account("POST", "/previewOrder", json=trader.condor("1.40", quantity=2))

    shown = answer.json()
    strategy, charges = shown["orderStrategy"], shown["commissionAndFee"]
    assert (answer.status_code, shown["orderId"]) == (200, 0)
    assert (strategy["status"], strategy["strategy"]) == ("ACCEPTED", "IRON_CONDOR")
    assert (strategy["orderType"], strategy["price"]) == ("LIMIT", 1.4)
    assert strategy["orderValue"] == 280.0
    assert strategy["orderBalance"]["projectedCommission"] == 5.2
    assert strategy["accountNumber"] == trader.login["accounts"][0]["number"]
    assert len(strategy["orderLegs"]) == 4
    assert shown["orderValidationResult"]["warns"][0]["originalSeverity"] == "WARN"
    assert len(charges["commission"]["commissionLegs"]) == 4
    assert {"OPT_REG_FEE", "INDEX_OPTION_FEE"} == {
        one["type"] for one in charges["fee"]["feeLegs"][0]["feeValues"]
    }
    assert trader.paper.orders() == []


def test_a_preview_of_a_bad_order_is_rejected_with_the_reason(trader: Trader) -> None:
    answer = trader.on_account("POST", "/previewOrder", json=trader.condor("1.23"))

    shown = answer.json()
    assert (answer.status_code, shown["orderStrategy"]["status"]) == (200, "REJECTED")
    assert shown["orderStrategy"]["remainingQuantity"] == 0.0
    assert shown["orderValidationResult"] == {
        "rejects": [
            {
                "activityMessage": (
                    "Spread orders for SPX options must be priced in 5-cent increments."
                ),
                "originalSeverity": "REJECT",
            }
        ]
    }


def test_a_preview_of_shares_has_no_charges(trader: Trader) -> None:
    order = single("F", "BUY", "20.00", quantity=10)

    charges = trader.on_account("POST", "/previewOrder", json=order).json()["commissionAndFee"]

    assert charges["fee"] == {"feeLegs": [{"feeValues": []}]}
    assert charges["commission"]["commissionLegs"][0]["commissionValues"][1]["value"] == 0.0


def test_a_fill_at_a_price_by_hand_adds_up_to_it(trader: Trader) -> None:
    trader.paper.market(fills="manual")
    order_id = trader.place(trader.condor("1.00"))

    assert net_of(trader.paper.fill(order_id, price=1.35)) == Decimal("1.35")
