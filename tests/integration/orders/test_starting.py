"""The start of the deployment: nothing left over is sent, and the gate opens when all was read."""

import json
import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from accounts.domain.words import LoginStatus, Mode
from accounts.models import AuditEvent, BrokerLogin, Instance, Token
from accounts.services.gate import close_gate, find_gate
from brokerage.schwab.exchange import Exchange, Reply
from orders.domain.errors import GuardRefused
from orders.domain.lifecycle import Status
from orders.models import ExternalOrder
from orders.services.starting import start_deployment, try_to_open
from tests.integration.orders.booting import attempt, boot, gate_words, ran_before
from tests.integration.orders.hands import figures, force, is_sentence, one, trail
from tests.support.make import make_mode

LIST = "/trader/v1/orders"


@pytest.fixture(autouse=True)
def _home(settings, tmp_path):
    settings.HOME = tmp_path


def test_nothing_that_was_left_over_is_ever_sent(fleet, wire):
    ran_before(fleet)
    waiting = fleet.create(fleet.shares())
    cut_off = fleet.create(fleet.shares(5))
    force(*fleet.children(cut_off), status=Status.SUBMITTING, claimed_at=timezone.now(), sends=1)

    assert boot(fleet).is_open
    fleet.send(waiting)
    fleet.send(cut_off)

    waiting.refresh_from_db()
    cut_off.refresh_from_db()
    assert wire.posts == []
    assert (waiting.status, cut_off.status) == ("CLOSED_OUT", "NEEDS_AGENT")
    for order, status, code in (
        (waiting, "FAILED_TO_PLACE", "STALE_UNSENT"),
        (cut_off, "UNKNOWN", "LEASE_OVER"),
    ):
        for child in fleet.children(order):
            assert (child.status, child.reason_code) == (status, code)
            assert is_sentence(child.reason)
            assert trail(child)[-1][1] == status


def test_every_login_is_read_once_and_then_the_gate_is_open(fleet, wire):
    opening = boot(fleet)

    assert opening.is_open
    assert find_gate() is None
    assert wire.reads == [LIST] * 3
    assert fleet.statuses(fleet.broadcast(fleet.shares())) == ["WORKING"] * 3
    trail = AuditEvent.objects.filter(subject="gate").order_by("id")
    assert list(trail.values_list("new", flat=True)) == ["CLOSED", "OPEN"]


def test_a_click_before_the_gate_is_open_is_refused_with_its_words(fleet, wire):
    start_deployment(now=timezone.now())

    with pytest.raises(GuardRefused, match=re.escape(gate_words())):
        fleet.broadcast(fleet.shares())

    assert wire.posts == []


def test_what_was_clicked_before_the_gate_closed_is_left_out_with_its_words(fleet, wire):
    order = fleet.create(fleet.shares())
    close_gate("Starting: a test says so.", now=timezone.now())

    fleet.send(order)

    assert fleet.statuses(order) == ["SKIPPED"] * 3
    assert fleet.children(order)[0].reason == "Starting: a test says so."
    assert wire.posts == []


@pytest.mark.parametrize(
    ("mode", "words"), [(Mode.FROZEN, "frozen"), (Mode.CLOSE_ONLY, "close only")]
)
def test_the_mode_set_before_the_stop_is_in_force_again(fleet, mode, words):
    make_mode(mode)

    assert boot(fleet).is_open

    with pytest.raises(GuardRefused, match=f"The fleet is {words}: a test says so"):
        fleet.create(fleet.shares())


@pytest.mark.parametrize(
    "fault", ["http_500", "bad_json", "truncated", "html_403", "http_429", "http_401", "redirect"]
)
def test_a_login_that_cannot_be_read_keeps_the_gate_closed_and_alone_is_read_again(
    fleet, wire, fault
):
    fleet.broker.fault(fault, method="GET", path=LIST)

    opening = boot(fleet)

    (login,) = [one for one in fleet.logins if one.label in opening.words]
    assert not opening.is_open
    assert not opening.is_held
    assert opening.words.startswith("Starting: the orders of one login could not be read yet")
    assert attempt(fleet).is_open
    assert wire.reads == [LIST] * 4
    assert AuditEvent.objects.filter(subject=f"brokerlogin:{login.pk}", kind="read at start")


class Archive:
    """A broker with thousands of orders in one account, who lists at most 3,000 at a time."""

    def __init__(self, fleet, moments):
        self.number = fleet.accounts[0].number.open()
        self.moments = sorted(moments)
        self.lists = 0

    def stream(self, calls):
        yield [(index, self._answer(call.request)) for index, call in enumerate(calls)]

    def _answer(self, request):
        self.lists += 1
        query = parse_qs(urlsplit(request.path).query)
        since, until = (
            datetime.fromisoformat(query[name][0]) for name in ("fromEnteredTime", "toEnteredTime")
        )
        rows = [
            self._row(number, at)
            for number, at in enumerate(self.moments, 1)
            if since <= at <= until
        ]
        body = json.dumps(rows[-int(query["maxResults"][0]) :]).encode()
        return Exchange(request, sent_at=1.0, answered_at=1.0, reply=Reply(200, {}, body))

    def _row(self, number, at):
        tag = "TA_oldest" if number == 1 else "API_TOS:CHART"
        entered = at.strftime("%Y-%m-%dT%H:%M:%S+0000")
        return {
            "orderId": number,
            "accountNumber": self.number,
            "status": "FILLED",
            "enteredTime": entered,
            "tag": tag,
        }


def test_more_orders_than_a_list_can_show_are_read_in_parts(fleet):
    now = timezone.now()
    BrokerLogin.objects.exclude(pk=fleet.logins[0].pk).update(status=LoginStatus.LOGIN_REQUIRED)
    archive = Archive(fleet, [now - timedelta(seconds=10 * n) for n in range(4000)])
    start_deployment(now=now)

    assert try_to_open(gateway=archive, now=now).is_open
    assert archive.lists > 1
    assert [orphan.tag for orphan in ExternalOrder.objects.all()] == ["TA_oldest"]


def test_a_list_that_cannot_be_seen_whole_keeps_the_gate_closed(fleet):
    now = timezone.now()
    BrokerLogin.objects.exclude(pk=fleet.logins[0].pk).update(status=LoginStatus.LOGIN_REQUIRED)
    start_deployment(now=now)

    opening = try_to_open(gateway=Archive(fleet, [now] * 3000), now=now)

    assert "A list of orders ends after 3000 rows" in opening.words


def test_a_token_that_ended_is_renewed_before_the_read(fleet, wire):
    Token.objects.filter(login=fleet.logins[0]).update(access_expires_at=timezone.now())

    assert boot(fleet).is_open
    assert wire.renewals == 1
    assert wire.reads == [LIST] * 3


def test_a_login_that_needs_a_new_sign_in_is_not_waited_for(fleet):
    login = fleet.logins[0]
    name = fleet.broker.logins()[0]["user"]
    fleet.broker.tokens(login=name, access="revoke", refresh="revoke")

    assert boot(fleet).is_open

    login.refresh_from_db()
    assert login.status == LoginStatus.LOGIN_REQUIRED


def test_a_login_that_never_had_a_token_is_not_waited_for(fleet):
    Token.objects.filter(login=fleet.logins[2]).delete()
    assert BrokerLogin.objects.filter(status=LoginStatus.CONNECTED).count() == 3

    assert boot(fleet).is_open


def test_what_filled_while_nobody_looked_is_known_at_once(fleet, by_hand):
    order, child = one(fleet, fleet.shares())
    fleet.broker.fill(child.broker_order_id)
    ran_before(fleet)

    assert boot(fleet).is_open
    assert figures(fleet.children(order)[0]) == ("FILLED", 10, 0)


def test_an_order_older_than_the_last_stop_is_read_while_it_works(fleet, by_hand):
    order, child = one(fleet, fleet.shares())
    fleet.broker.fill(child.broker_order_id)
    ran_before(fleet, hours=0)
    later = timezone.now() + timedelta(hours=2)
    start_deployment(now=later - timedelta(seconds=1))
    Instance.objects.update(pulsed_at=later)
    start_deployment(now=later)

    assert try_to_open(gateway=fleet.gateway, now=later).is_open
    assert fleet.statuses(order) == ["FILLED"]


def test_a_clock_that_was_set_back_does_not_keep_the_gate_closed(fleet, wire):
    ran_before(fleet, hours=-3)

    assert boot(fleet).is_open
    assert wire.reads == [LIST] * 3
