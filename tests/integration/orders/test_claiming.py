import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.words import Mode, ModeScope
from accounts.models import Account, AccountGroup, TradingMode
from orders.domain.lifecycle import Status
from orders.models import AccountOrder, ComplexOrder
from orders.services.claiming import claim
from orders.services.sweeping import sweep
from tests.integration.orders.hands import force, is_sentence, seconds_from_now, trail


def claim_all(fleet, order, *, now=None):
    ids = [child.pk for child in fleet.children(order)]
    return claim(ids, clock=lambda: now or timezone.now())


def set_mode(mode, scope=ModeScope.FLEET, target="", why=""):
    TradingMode.objects.create(scope=scope, target=target, mode=mode, why=why, since=timezone.now())


def test_a_claim_takes_every_ready_order_once(fleet):
    order = fleet.create(fleet.shares())
    now = timezone.now()

    won = claim_all(fleet, order, now=now)

    children = fleet.children(order)
    assert {one.child_id for one in won} == {child.pk for child in children}
    assert {one.account_hash for one in won} == {a.hash_value for a in fleet.accounts}
    assert {one.body for one in won} == {children[0].body}
    assert [(c.status, c.claimed_at, c.sends) for c in children] == [("SUBMITTING", now, 1)] * 3
    assert len({child.claim for child in children}) == 1
    assert trail(children[0])[-1] == ("READY", "SUBMITTING")
    assert claim_all(fleet, order) == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole database")
def test_a_claim_locks_first_and_takes_then(fleet):
    """In one statement the planner compares every READY order with every locked one."""
    order = fleet.create(fleet.shares())

    with CaptureQueriesContext(connection) as queries:
        claim_all(fleet, order)

    said = [query["sql"] for query in queries]
    (taken,) = [at for at, sql in enumerate(said) if "SET status" in sql and "twin" in sql]
    assert "FOR UPDATE" not in said[taken]
    assert said[taken - 1].endswith("ORDER BY id FOR UPDATE")


def test_a_claim_hides_the_body_from_logs(fleet):
    (one, *_) = claim_all(fleet, fleet.create(fleet.shares()))

    assert "AAPL" not in repr(one)


def test_a_message_that_comes_an_hour_late_sends_nothing(fleet, wire):
    order = fleet.create(fleet.shares(), age_s=3600)

    fleet.send(order)

    assert wire.posts == []
    sweep(now=timezone.now())
    assert fleet.statuses(order) == ["FAILED_TO_PLACE"] * 3


def test_an_order_is_not_claimed_at_its_deadline(fleet):
    order = fleet.create(fleet.shares())
    deadline = fleet.children(order)[0].deadline_at

    assert claim_all(fleet, order, now=deadline) == []


def test_an_order_that_must_wait_is_claimed_when_it_is_due(fleet):
    order = fleet.create(fleet.shares())
    due = seconds_from_now(1)
    force(*fleet.children(order)[:2], not_before=due)

    assert len(claim_all(fleet, order)) == 1
    assert len(claim_all(fleet, order, now=due)) == 2


def test_every_claim_is_counted(fleet):
    order = fleet.create(fleet.shares())
    claim_all(fleet, order)
    force(*fleet.children(order), status=Status.READY)

    won = claim_all(fleet, order)

    assert [one.sends for one in won] == [2, 2, 2]


@pytest.mark.parametrize("twins_status", [Status.SUBMITTING, Status.UNKNOWN])
def test_an_order_whose_twin_is_unresolved_waits_while_the_others_go(fleet, wire, twins_status):
    earlier = fleet.create(fleet.shares())
    force(*fleet.children(earlier), status=Status.FILLED)
    force(fleet.children(earlier)[1], status=twins_status, claimed_at=timezone.now())
    order = fleet.create(fleet.shares())

    fleet.send(order)

    assert fleet.statuses(order) == ["WORKING", "READY", "WORKING"]
    assert len(wire.posts) == 2
    sweep(now=seconds_from_now(6))
    left = fleet.children(order)[1]
    assert (left.status, left.reason_code) == ("FAILED_TO_PLACE", "STALE_UNSENT")
    assert "an identical order in this account is still unresolved" in left.reason
    assert is_sentence(left.reason)


def test_an_order_of_another_size_is_no_twin(fleet):
    earlier = fleet.create(fleet.shares(10))
    force(*fleet.children(earlier), status=Status.UNKNOWN)

    assert len(claim_all(fleet, fleet.create(fleet.shares(11)))) == 3


def test_an_order_goes_out_once_its_twin_is_resolved(fleet):
    earlier = fleet.create(fleet.shares())
    force(*fleet.children(earlier), status=Status.UNKNOWN)
    order = fleet.create(fleet.shares())
    assert claim_all(fleet, order) == []

    force(*fleet.children(earlier), status=Status.FAILED_TO_PLACE)

    assert len(claim_all(fleet, order)) == 3


def test_an_account_switched_off_since_the_click_is_skipped(fleet, wire):
    order = fleet.create(fleet.shares())
    Account.objects.filter(pk=fleet.accounts[0].pk).update(is_active=False)

    fleet.send(order)

    skipped = fleet.children(order)[0]
    assert fleet.statuses(order) == ["SKIPPED", "WORKING", "WORKING"]
    assert (skipped.reason_code, skipped.reason) == ("INACTIVE", "The account was switched off.")
    assert trail(skipped)[-1] == ("READY", "SKIPPED")
    assert fleet.accounts[0].hash_value not in wire.posts


def test_a_freeze_between_click_and_claim_skips_everything_and_closes_the_broadcast(fleet, wire):
    order = fleet.create(fleet.shares())
    set_mode(Mode.FROZEN, why="kill switch")

    fleet.send(order)

    order.refresh_from_db()
    assert order.status == "CLOSED_OUT"
    assert wire.posts == []
    for child in fleet.children(order):
        assert (child.status, child.reason_code) == ("SKIPPED", "FROZEN")
        assert child.reason == "The fleet is frozen: kill switch."


@pytest.mark.parametrize(
    ("scope", "target", "skipped"),
    [
        (ModeScope.GROUP, "family", [True, False, False]),
        (ModeScope.UNDERLYING, "AAPL", [True, True, True]),
        (ModeScope.UNDERLYING, "MSFT", [False, False, False]),
    ],
)
def test_a_mode_set_since_the_click_holds_for_what_it_was_set_on(fleet, scope, target, skipped):
    AccountGroup.objects.create(name="family").members.add(fleet.accounts[0])
    order = fleet.create(fleet.shares())
    set_mode(Mode.CLOSE_ONLY, scope, target)

    claim_all(fleet, order)

    assert [child.status == "SKIPPED" for child in fleet.children(order)] == skipped
    assert {c.reason_code for c in fleet.children(order) if c.status == "SKIPPED"} <= {"CLOSE_ONLY"}


def test_a_closing_order_passes_close_only(fleet):
    order = fleet.create(fleet.shares())
    AccountOrder.objects.filter(order=order).update(purpose="CLOSE")
    set_mode(Mode.CLOSE_ONLY)

    assert len(claim_all(fleet, order)) == 3


def test_the_database_allows_one_unresolved_twin_per_account(fleet):
    first, second = (fleet.children(fleet.create(fleet.shares()))[0] for _ in range(2))
    force(first, status=Status.UNKNOWN)

    with pytest.raises(IntegrityError), transaction.atomic():
        force(second, status=Status.SUBMITTING)

    force(first, status=Status.WORKING)
    force(second, status=Status.SUBMITTING)


def test_the_database_allows_one_owner_per_broker_order(fleet):
    one, other, elsewhere = (
        fleet.children(fleet.create(fleet.shares()))[place] for place in (0, 0, 1)
    )
    force(one, broker_order_id="17")

    with pytest.raises(IntegrityError), transaction.atomic():
        force(other, broker_order_id="17")

    force(elsewhere, broker_order_id="17")


def test_the_database_allows_one_child_per_account_and_attempt(fleet):
    child = fleet.children(fleet.create(fleet.shares()))[0]
    child.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        child.save(force_insert=True)


def test_the_database_allows_one_broadcast_per_key(fleet):
    order = fleet.create(fleet.shares())

    with pytest.raises(IntegrityError), transaction.atomic():
        ComplexOrder.objects.create(
            agent=fleet.agent,
            idempotency_key=order.idempotency_key,
            clicked_at=timezone.now(),
            contracts=1,
        )
