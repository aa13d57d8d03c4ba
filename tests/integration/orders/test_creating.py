import json
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.words import LoginStatus, Mode, ModeScope
from accounts.models import Account, AccountGroup, AuditEvent, BrokerLogin, TradingMode
from orders.domain.errors import BadTicket, KeyReused, NobodyToSendTo
from orders.models import AccountOrder, ComplexOrder
from orders.selectors.choosing import AccountChoice
from orders.services.creating import create_order
from strategies.domain.catalog import share_order
from strategies.domain.new_york import exchange_date
from strategies.domain.tickets import Instruction
from tests.support.fleet import connect

# Statements: limits; modes; accounts; savepoints; duplicates; parent, its legs and its event;
# children, their legs and their events. PostgreSQL has more than one writer: those with the same
# trade wait for each other.
CREATING = 11 + (connection.vendor == "postgresql")


def create(fleet, ticket, *, choice=None, key=None, clicked_at=None):
    now = timezone.now()
    return create_order(
        agent=fleet.agent,
        ticket=ticket,
        choice=choice or AccountChoice(),
        idempotency_key=key or uuid4(),
        clicked_at=clicked_at or now,
        now=now,
        today=exchange_date(now),
        confirm=["DUPLICATE_ORDER", "PRICE_AWAY"],
    )


def test_every_account_gets_its_own_order_with_its_legs(fleet, condor):
    order = fleet.create(condor)

    assert (order.status, order.name, order.underlying) == ("READY", "Iron condor", "SPX")
    assert order.legs.count() == 4
    children = fleet.children(order)
    assert [child.account for child in children] == fleet.accounts
    for child in children:
        assert (child.status, child.contracts, child.remaining, child.filled) == ("READY", 1, 1, 0)
        legs = [(leg.symbol, leg.instruction, leg.quantity) for leg in child.legs.all()]
        assert legs == [(leg.symbol, leg.instruction, 1) for leg in condor.legs]


def test_what_is_sent_is_what_was_written_byte_for_byte(fleet, wire):
    Account.objects.filter(pk=fleet.accounts[1].pk).update(multiplier=2)
    order = fleet.create(fleet.shares(7, limit=Decimal("1.50")))

    children = fleet.children(order)
    bodies = [json.loads(child.body) for child in children]

    assert [body["orderLegCollection"][0]["quantity"] for body in bodies] == [7, 14, 7]
    assert {body["price"] for body in bodies} == {"1.50"}
    assert children[0].body == children[2].body != children[1].body
    assert children[0].fingerprint == children[2].fingerprint != children[1].fingerprint
    fleet.send(order)
    placed_in = {placed["account"]: placed for placed in fleet.broker.orders()}
    assert len(placed_in) == len(children)
    for child in children:
        placed = placed_in[child.account.hash_value]
        assert placed["quantity"] == child.contracts
        assert placed["price"] == 1.5


@pytest.mark.parametrize("accounts", [3, 45])
def test_creating_takes_as_many_statements_for_many_accounts_as_for_few(
    broker, db, gateway_to_paper, accounts
):
    fleet = connect(broker, gateway_to_paper, accounts=accounts)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        order = fleet.create(fleet.shares())

    assert len(fleet.children(order)) == accounts
    assert len(queries) == CREATING, [query["sql"][:90] for query in queries]


def test_the_deadline_follows_order_type_and_purpose(fleet, settings):
    settings.READY_DEADLINE_S, settings.READY_DEADLINE_MARKET_S = 11, 6
    settings.READY_DEADLINE_CLOSE_S = 61
    sell = fleet.shares(limit=Decimal(1), legs=share_order("AAPL", Instruction.SELL).legs)

    for ticket, seconds in [
        (fleet.shares(limit=Decimal(1)), 11),
        (fleet.shares(), 6),
        (sell, 61),
    ]:
        order = fleet.create(ticket)
        deadlines = {child.deadline_at for child in fleet.children(order)}
        assert deadlines == {order.clicked_at + timedelta(seconds=seconds)}


def test_the_same_key_and_body_return_the_first_broadcast(fleet):
    key, ticket = uuid4(), fleet.shares()

    first = create(fleet, ticket, key=key)
    second = create(fleet, ticket, key=key)

    assert first.is_new
    assert not second.is_new
    assert second.order == first.order
    assert AccountOrder.objects.count() == 3


def test_equal_prices_written_differently_are_the_same_body(fleet):
    key = uuid4()

    first = create(fleet, fleet.shares(limit=Decimal("1.50")), key=key)
    second = create(fleet, fleet.shares(limit=Decimal("1.5")), key=key)

    assert second.order == first.order


@pytest.mark.parametrize("what", ["contracts", "accounts"])
def test_the_same_key_with_another_body_is_refused(fleet, what):
    key = uuid4()
    create(fleet, fleet.shares(), key=key)
    choice = AccountChoice(ids=(fleet.accounts[0].pk,)) if what == "accounts" else None

    with pytest.raises(KeyReused):
        create(fleet, fleet.shares(11 if what == "contracts" else 10), key=key, choice=choice)

    assert ComplexOrder.objects.count() == 1


def test_the_allocation_statement_says_who_gets_how_much_and_who_is_left_out_and_why(fleet):
    one, two, three = fleet.accounts
    Account.objects.filter(pk=one.pk).update(multiplier="1.55")
    Account.objects.filter(pk=two.pk).update(is_active=False)
    Account.objects.filter(pk=three.pk).update(multiplier="0.01")

    order = fleet.create(fleet.shares(10))

    order.refresh_from_db()
    assert order.allocation["accounts"] == [
        {
            "account": str(one.pk),
            "alias": one.alias,
            "contracts": 15,
            "left_out": "",
            "why": "",
        },
        {
            "account": str(two.pk),
            "alias": two.alias,
            "contracts": 0,
            "left_out": "INACTIVE",
            "why": "The account is switched off.",
        },
        {
            "account": str(three.pk),
            "alias": three.alias,
            "contracts": 0,
            "left_out": "SIZED_TO_ZERO",
            "why": "The multiplier 0.01 leaves no contract.",
        },
    ]
    children = fleet.children(order)
    assert [child.status for child in children] == ["READY", "SKIPPED", "SKIPPED"]
    assert [child.reason for child in children[1:]] == [
        "The account is switched off.",
        "The multiplier 0.01 leaves no contract.",
    ]
    assert order.status == "READY"


def test_a_broadcast_that_leaves_everybody_out_is_closed_out_at_once(fleet):
    Account.objects.update(is_active=False)

    order = fleet.create(fleet.shares())

    assert order.status == "CLOSED_OUT"
    assert {child.reason for child in fleet.children(order)} == {"The account is switched off."}


def test_a_mode_of_a_group_leaves_its_members_out(fleet):
    AccountGroup.objects.create(name="family").members.add(fleet.accounts[2])
    TradingMode.objects.create(
        scope=ModeScope.GROUP, target="family", mode=Mode.CLOSE_ONLY, since=timezone.now()
    )

    order = fleet.create(fleet.shares())

    assert fleet.statuses(order) == ["READY", "READY", "SKIPPED"]


def test_a_login_that_must_be_connected_leaves_its_accounts_out(fleet):
    BrokerLogin.objects.filter(pk=fleet.logins[0].pk).update(
        status=LoginStatus.LOGIN_REQUIRED, status_reason="The refresh token ended."
    )

    child = fleet.children(fleet.create(fleet.shares()))[0]

    assert (child.status, child.reason_code) == ("SKIPPED", "LOGIN_REQUIRED")
    assert "must be connected again. The refresh token ended." in child.reason


def test_accounts_are_chosen_by_id_by_group_and_by_exception(fleet):
    one, two, three = (account.pk for account in fleet.accounts)
    AccountGroup.objects.create(name="pair").members.add(one, three)

    def chosen(choice):
        return [
            child.account_id
            for child in fleet.children(create(fleet, fleet.shares(), choice=choice).order)
        ]

    assert chosen(AccountChoice(ids=(three, one))) == [one, three]
    assert chosen(AccountChoice(group="pair")) == [one, three]
    assert chosen(AccountChoice(leave_out=(one,))) == [two, three]


@pytest.mark.parametrize("choice", [AccountChoice(ids=(uuid4(),)), AccountChoice(group="nobody's")])
def test_accounts_that_do_not_exist_are_named_and_nothing_is_written(fleet, choice):
    with pytest.raises(BadTicket) as error:
        create(fleet, fleet.shares(), choice=choice)

    assert error.value.problems[0].field == "accounts"
    assert not ComplexOrder.objects.exists()


def test_a_broadcast_to_nobody_is_refused(fleet):
    everybody = tuple(account.pk for account in fleet.accounts)

    with pytest.raises(NobodyToSendTo):
        create(fleet, fleet.shares(), choice=AccountChoice(leave_out=everybody))


def test_an_impossible_ticket_writes_nothing(fleet):
    before = AuditEvent.objects.count()

    with pytest.raises(BadTicket) as error:
        create(fleet, fleet.shares(0))

    assert "contracts" in {problem.field for problem in error.value.problems}
    assert not ComplexOrder.objects.exists()
    assert AuditEvent.objects.count() == before


def test_creation_is_recorded_with_the_digest_of_what_will_be_sent(fleet):
    order = fleet.create(fleet.shares())

    (parent,) = AuditEvent.objects.filter(subject=f"complexorder:{order.pk}")
    assert (parent.kind, parent.new, parent.actor) == ("created", "READY", "agent")
    for child in fleet.children(order):
        (event,) = AuditEvent.objects.filter(subject=f"accountorder:{child.pk}")
        assert (event.kind, event.old, event.new) == ("status", "", "READY")
        assert event.data == {"body": child.body_hash}
