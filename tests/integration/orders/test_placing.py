"""A broadcast as a whole: who waits for whom, what it costs, and its record."""

from threading import Event, Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEvent, Token
from brokerage.transport import Gateway
from orders.domain.lifecycle import Status
from orders.models import AccountOrder
from orders.services.placing import place_account_orders
from orders.services.renewing import renew_for_orders
from tests.integration.orders.hands import hit, seconds_from_now, trail
from tests.support.fleet import connect


def test_a_condor_is_sent_to_every_account_and_fills(fleet):
    order = fleet.broadcast(fleet.condor())

    assert fleet.statuses(order) == [Status.WORKING] * 3
    fleet.poll()
    order.refresh_from_db()

    assert fleet.statuses(order) == [Status.FILLED] * 3
    assert order.status == "FILLED"
    placed = fleet.broker.orders()
    assert sorted(one["account"] for one in placed) == sorted(a.hash_value for a in fleet.accounts)


def test_an_order_of_unknown_outcome_is_never_sent_again(fleet):
    fleet.broker.fault("drop_after", times=1, method="POST", path="/orders")
    order = fleet.broadcast(fleet.shares(), accounts=fleet.accounts[:1])

    fleet.send(order)

    assert fleet.statuses(order) == [Status.UNKNOWN]
    assert len(fleet.broker.orders()) == 1


@pytest.mark.django_db(transaction=True)
def test_one_account_that_never_answers_keeps_no_other_waiting(fleet):
    hit(fleet, "never_answer_after")
    gateway = Gateway(fleet.broker.tls_url, ca_file=fleet.broker.ca_file, total_timeout_s=3)
    order = fleet.create(fleet.shares())
    ids = [child.pk for child in fleet.children(order)]
    done = Event()

    def place():
        place_account_orders(ids=ids, gateway=gateway)
        connection.close()
        done.set()

    worker = Thread(target=place)
    worker.start()
    until = seconds_from_now(1)
    while fleet.statuses(order) != ["SUBMITTING", "WORKING", "WORKING"]:
        assert timezone.now() < until, fleet.statuses(order)
        done.wait(0.02)

    assert not done.is_set()
    worker.join(10)
    gateway.close()
    assert fleet.statuses(order) == ["UNKNOWN", "WORKING", "WORKING"]


def test_what_must_be_rung_for_is_told_batch_by_batch(impatient_fleet):
    fleet = impatient_fleet
    hit(fleet, "never_answer_after")
    hit(fleet, "http_401", index=1)
    order = fleet.create(fleet.shares())
    told = []

    def ring(outcome):
        told.append((outcome.refused_logins, outcome.token_versions, fleet.statuses(order)))

    ids = [child.pk for child in fleet.children(order)]
    total = place_account_orders(ids=ids, gateway=fleet.gateway, ring=ring)

    login = fleet.logins[1].pk
    refused, versions, statuses = told[0]
    assert refused == total.refused_logins == {login: [ids[1]]}
    assert versions[login] == Token.objects.get(login=login).version
    assert statuses[0] == "SUBMITTING"
    assert sum(total.counts.values()) == 3


def test_the_click_is_measured_until_the_last_request_over_several_chunks(fleet, wire):
    order = fleet.create(fleet.shares(), age_s=1)
    ids = [child.pk for child in fleet.children(order)]

    for chunk in (ids[1:2], ids[:1], ids[2:]):
        place_account_orders(ids=chunk, gateway=fleet.gateway)

    order.refresh_from_db()
    moments = [child.sent_at for child in fleet.children(order)]
    assert order.first_sent_at == min(moments) == moments[1]
    assert order.last_sent_at == max(moments) == moments[2]
    assert order.broadcast_ms == pytest.approx(
        (max(moments) - order.clicked_at).total_seconds() * 1e3
    )
    assert order.broadcast_ms > 1000
    assert max(wire.posted_at) == pytest.approx(max(moments).timestamp(), abs=0.1)


class Counted:
    """A gateway that notes how many statements were made before the first request was sent."""

    def __init__(self, gateway, queries):
        self._gateway, self._queries = gateway, queries
        self.before_sending = 0

    def stream(self, calls):
        self.before_sending = len(self._queries)
        return self._gateway.stream(calls)


# Statements: a savepoint's two; modes; the claim; what was won, tokens included; its events.
CLAIMING = 6


@pytest.mark.parametrize("accounts", [3, 45])
def test_claim_to_send_takes_as_many_statements_for_many_accounts_as_for_few(
    db, broker, gateway_to_paper, wire, accounts
):
    fleet = connect(broker, gateway_to_paper, accounts=accounts)
    order = fleet.create(fleet.shares())
    ids = [child.pk for child in fleet.children(order)]

    with CaptureQueriesContext(connection) as queries:
        gateway = Counted(fleet.gateway, queries)
        place_account_orders(ids=ids, gateway=gateway)

    assert gateway.before_sending == CLAIMING
    assert len(wire.posts) == accounts
    assert AccountOrder.objects.filter(status="WORKING").count() == accounts


def test_the_record_of_one_order_reads_as_its_whole_life(fleet, by_hand):
    hit(fleet, "http_401")
    order = fleet.create(fleet.shares())
    outcome = fleet.send(order)
    renew_for_orders(
        login_id=fleet.logins[0].pk,
        seen_version=outcome.token_versions[fleet.logins[0].pk],
        ids=outcome.refused_logins[fleet.logins[0].pk],
        now=timezone.now(),
    )
    fleet.send(order)
    child = fleet.children(order)[0]
    fleet.broker.fill(child.broker_order_id, quantity=4)
    fleet.poll()
    fleet.broker.fill(child.broker_order_id)
    fleet.poll()

    events = AuditEvent.objects.filter(subject=f"accountorder:{child.pk}").order_by("id")
    assert [(e.kind, e.old, e.new, e.actor) for e in events] == [
        ("status", "", "READY", "agent"),
        ("status", "READY", "SUBMITTING", "placement"),
        ("status", "SUBMITTING", "READY", "placement"),
        ("status", "READY", "SUBMITTING", "placement"),
        ("status", "SUBMITTING", "WORKING", "placement"),
        ("broker", "", "WORKING", "poll"),
        ("broker", "WORKING", "FILLED", "poll"),
        ("status", "WORKING", "FILLED", "poll"),
    ]
    created, first, refused, second, accepted, *_ = events
    assert created.data == {"body": child.body_hash}
    assert (first.data, second.data) == ({"send": 1}, {"send": 2})
    assert refused.data == {"proof": "UNAUTHORIZED", "code": "UNAUTHORIZED"}
    assert refused.reason == "The broker refused the access token; it is being renewed."
    assert accepted.data == {"proof": "ACCEPTED", "code": "ACCEPTED"}
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_every_step_of_every_order_follows_from_the_one_before(impatient_fleet):
    fleet = impatient_fleet
    hit(fleet, "never_answer_after")
    hit(fleet, "reject", index=1)
    order = fleet.broadcast(fleet.shares())
    fleet.poll()

    for child in fleet.children(order):
        steps = trail(child)
        assert steps[0] == ("", "READY")
        assert [new for _, new in steps[:-1]] == [old for old, _ in steps[1:]]
        assert steps[-1][1] == child.status
