"""What each answer of the broker, and each missing one, makes of an order."""

import logging
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Token
from brokerage.transport import Gateway
from orders.services.placing import place_account_orders
from orders.services.sweeping import sweep
from tests.integration.orders.hands import force, hit, is_sentence, seconds_from_now, trail
from tests.support.raw_server import dead_port


def placed_in(fleet, index=0):
    hash_value = fleet.accounts[index].hash_value
    return [one for one in fleet.broker.orders() if one["account"] == hash_value]


def first_child(fleet, order):
    return fleet.children(order)[0]


@pytest.mark.parametrize(
    ("fault", "placed", "said"),
    [
        ("drop_before", 0, "closed without an answer"),
        ("drop_after", 1, "closed without an answer"),
        ("http_500", 0, "HTTP 500"),
        ("http_500_after", 1, "HTTP 500"),
        ("http_400_500_body", 0, "HTTP 400"),
        ("html_403", 0, "HTTP 403 without the broker's reason"),
        ("redirect", 0, "HTTP 302"),
        ("no_location", 1, "without saying which"),
        ("never_answer_after", 1, "No answer in time"),
        ("drip", 1, "No answer in time"),
    ],
)
def test_an_answer_that_proves_nothing_leaves_the_order_unknown_and_is_never_sent_again(
    impatient_fleet, wire, fault, placed, said
):
    fleet = impatient_fleet
    hit(fleet, fault)
    order = fleet.broadcast(fleet.shares())

    fleet.send(order)
    for ids in sweep(now=seconds_from_now(3)).to_ring.values():
        place_account_orders(ids=ids, gateway=fleet.gateway)

    child = first_child(fleet, order)
    assert fleet.statuses(order) == ["UNKNOWN", "WORKING", "WORKING"]
    assert child.reason_code == "AMBIGUOUS_ANSWER"
    assert said in child.reason
    assert is_sentence(child.reason)
    assert child.broker_order_id is None
    assert child.sent_at is not None
    assert order.status == "NEEDS_AGENT"
    assert sorted(wire.posts) == sorted(account.hash_value for account in fleet.accounts)
    assert len(placed_in(fleet)) == placed
    assert len(fleet.broker.orders()) == placed + 2


def test_an_order_whose_answer_names_it_is_placed_although_the_body_is_broken(fleet):
    hit(fleet, "bad_json")

    order = fleet.broadcast(fleet.shares())

    child = first_child(fleet, order)
    assert child.status == "WORKING"
    assert child.broker_order_id == str(placed_in(fleet)[0]["orderId"])


def test_a_number_that_belongs_to_another_order_of_ours_is_not_adopted(fleet, wire):
    earlier = fleet.broadcast(fleet.shares(5))
    hit(fleet, "wrong_location")

    order = fleet.broadcast(fleet.shares(6))

    child, owner = first_child(fleet, order), first_child(fleet, earlier)
    assert fleet.statuses(order) == ["UNKNOWN", "WORKING", "WORKING"]
    assert child.broker_order_id is None
    assert f"order {owner.broker_order_id}, which is another one of ours" in child.reason
    assert len(wire.posts) == 6


def test_a_number_of_an_order_made_by_hand_is_found_out_at_the_first_read(fleet):
    account = fleet.accounts[0].hash_value
    fleet.broker.market(fills="manual")
    fleet.broadcast(fleet.shares(3), accounts=fleet.accounts[:1])
    ours = placed_in(fleet)[0]
    body = {name: ours[name] for name in ("orderType", "session", "duration", "orderStrategyType")}
    leg = {
        "instruction": "BUY",
        "quantity": 4,
        "instrument": {"symbol": "AAPL", "assetType": "EQUITY"},
    }
    stranger = fleet.broker.make_order(account, {**body, "orderLegCollection": [leg]})
    hit(fleet, "wrong_location")
    order = fleet.broadcast(fleet.shares(6), accounts=fleet.accounts[:1])
    assert first_child(fleet, order).broker_order_id == stranger

    fleet.broker.fill(stranger)
    fleet.poll()
    fleet.poll()

    child = first_child(fleet, order)
    order.refresh_from_db()
    assert (child.status, child.filled, child.broker_order_id) == ("UNKNOWN", 0, None)
    assert child.reason == (
        f"The broker shows another order under the number {stranger} that it gave for this one."
    )
    assert order.status == "NEEDS_AGENT"
    assert trail(child)[-1] == ("WORKING", "UNKNOWN")


def test_a_refusal_fails_the_order_with_the_brokers_words(fleet, wire):
    body = {"message": "The order quantity must be greater than zero"}
    hit(fleet, "http_400_500_body", body=body)  # HTTP 400 with this body instead

    order = fleet.broadcast(fleet.shares())
    fleet.send(order)

    refused = first_child(fleet, order)
    assert fleet.statuses(order) == ["FAILED_TO_PLACE", "WORKING", "WORKING"]
    assert refused.reason_code == "REFUSED"
    assert refused.reason == "The order quantity must be greater than zero"
    assert len(wire.posts) == 3
    assert not placed_in(fleet)


def test_a_rejection_comes_with_the_poll_and_keeps_the_brokers_words(fleet, wire):
    hit(fleet, "reject", body="Insufficient buying power for this order.")
    order = fleet.broadcast(fleet.shares())
    assert fleet.statuses(order) == ["WORKING"] * 3

    fleet.poll()

    child = first_child(fleet, order)
    assert (child.status, child.broker_status) == ("REJECTED", "REJECTED")
    assert child.reason == child.broker_text == "Insufficient buying power for this order."
    assert len(wire.posts) == 3


def test_a_throttled_order_waits_and_goes_out_when_the_sweep_rings(fleet, wire):
    hit(fleet, "http_429", retry_after=1)
    order = fleet.broadcast(fleet.shares(limit=Decimal(500)))

    waiting = first_child(fleet, order)
    assert (waiting.status, waiting.reason_code) == ("READY", "THROTTLED")
    assert is_sentence(waiting.reason)
    assert waiting.not_before is not None
    assert waiting.not_before < waiting.deadline_at
    fleet.send(order)
    assert len(wire.posts) == 3  # not due yet
    force(waiting, not_before=timezone.now())
    for ids in sweep(now=timezone.now()).to_ring.values():
        place_account_orders(ids=ids, gateway=fleet.gateway)

    child = first_child(fleet, order)
    assert (child.status, child.sends, child.reason, child.reason_code) == ("WORKING", 2, "", "")
    assert len(wire.posts) == 4
    assert len(placed_in(fleet)) == 1


def test_an_order_that_may_not_wait_as_long_as_the_broker_asks_has_failed(fleet):
    hit(fleet, "http_429", retry_after=30)

    order = fleet.broadcast(fleet.shares())

    child = first_child(fleet, order)
    assert (child.status, child.reason_code) == ("FAILED_TO_PLACE", "STALE_UNSENT")
    assert child.reason == "The broker asked to wait longer than the order may wait."
    assert fleet.statuses(order)[1:] == ["WORKING", "WORKING"]
    assert order.status == "WORKING"
    assert not placed_in(fleet)


def test_a_broker_that_cannot_be_reached_is_tried_once_more_and_then_nothing_is_placed(fleet):
    gateway = Gateway(f"https://127.0.0.1:{dead_port()}", ca_file=fleet.broker.ca_file)
    order = fleet.create(fleet.shares())
    ids = [child.pk for child in fleet.children(order)]

    first = place_account_orders(ids=ids, gateway=gateway)
    assert sorted(first.again) == sorted(ids)
    assert {c.reason_code for c in fleet.children(order)} == {"NOT_SENT"}
    assert fleet.statuses(order) == ["READY"] * 3
    second = place_account_orders(ids=first.again, gateway=gateway)
    gateway.close()

    assert second.again == []
    for child in fleet.children(order):
        assert (child.status, child.reason_code) == ("FAILED_TO_PLACE", "NOT_SENT")
        assert (child.sends, child.sent_at) == (2, None)
        assert "Connection refused" in child.reason
        assert is_sentence(child.reason)
    order.refresh_from_db()
    assert (order.status, order.broadcast_ms) == ("CLOSED_OUT", None)
    assert fleet.broker.orders() == []


def test_an_order_that_could_not_be_sent_goes_out_at_the_second_try(fleet, wire):
    gateway = Gateway(f"https://127.0.0.1:{dead_port()}", ca_file=fleet.broker.ca_file)
    order = fleet.create(fleet.shares())
    outcome = place_account_orders(
        ids=[child.pk for child in fleet.children(order)], gateway=gateway
    )
    gateway.close()

    place_account_orders(ids=outcome.again, gateway=fleet.gateway)

    order.refresh_from_db()
    assert fleet.statuses(order) == ["WORKING"] * 3
    assert len(wire.posts) == 3
    last = max(child.sent_at for child in fleet.children(order))
    assert order.broadcast_ms == pytest.approx(
        (last - order.clicked_at) / timedelta(milliseconds=1)
    )


def test_a_token_that_cannot_be_opened_stops_its_own_account_only(fleet, wire, caplog):
    Token.objects.filter(login=fleet.logins[0]).update(access=b"\x01tampered with")

    with caplog.at_level(logging.ERROR):
        order = fleet.broadcast(fleet.shares())

    child = first_child(fleet, order)
    assert fleet.statuses(order) == ["FAILED_TO_PLACE", "WORKING", "WORKING"]
    assert child.reason == "This login has no usable token. Connect it again."
    assert (child.reason_code, child.sent_at) == ("NOT_SENT", None)
    assert fleet.accounts[0].hash_value not in wire.posts
    assert str(fleet.logins[0].pk) in caplog.text


def test_a_login_without_a_token_stops_its_own_account_only(fleet):
    order = fleet.create(fleet.shares())
    Token.objects.filter(login=fleet.logins[2]).delete()

    fleet.send(order)

    assert fleet.statuses(order) == ["WORKING", "WORKING", "FAILED_TO_PLACE"]
