"""What is in the outbox reaches its receivers, signed, in order, at least once, and slows nobody."""

import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.domain.allow_list import AllowList
from accounts.domain.happenings import Kind
from accounts.fields import seal_for
from accounts.models import Alarm, AuditEvent, Delivery, Message, Receiver
from accounts.services import delivering
from accounts.services.delivering import deliver_due, due_receivers
from accounts.services.hooks import remove, renew_secret, switch
from accounts.services.outbox import old_messages
from tests.integration.accounts.outbox.receivers import later, numbers, receiver, say, states
from tests.support.receiving import receiving

pytestmark = pytest.mark.django_db


def test_a_message_comes_signed_and_of_now(server):
    receiver(server)
    say(7)

    (outcome,) = deliver_due(now=timezone.now())

    assert outcome.is_delivered
    (got,) = server.got
    assert got.is_signed
    assert got.age_s < 5
    assert (got.kind, got.body["kind"], got.body["environment"]) == (
        "order.status",
        "order.status",
        "PAPER",
    )
    assert got.key == got.body["id"] == str(Delivery.objects.get().key)
    assert got.body["subject"] == "complexorder:7"
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.words) == ("DELIVERED", 1, "HTTP 200")
    assert deliver_due(now=timezone.now()) == []


def test_without_a_receiver_nothing_is_kept():
    assert say(1) is None
    assert not Message.objects.exists()


def test_a_receiver_is_told_what_it_asked_for(server):
    receiver(server, kinds=[Kind.MODE_CHANGED])

    assert say(1) is None
    assert say(2, Kind.MODE_CHANGED) is not None
    assert say(3, Kind.TEST) is not None


@pytest.mark.parametrize("failure", [500, 503, 429, 302, "drop", "hang", "drip"])
def test_a_receiver_in_trouble_gets_everything_later_in_order(server, failure):
    one = receiver(server)
    for number in range(4):
        say(number)
    server.answers = [200, failure]
    began = time.monotonic()

    outcomes = deliver_due(now=timezone.now())

    assert time.monotonic() - began < 3
    assert [outcome.is_delivered for outcome in outcomes] == [True, False]
    assert numbers(server) == [0]
    assert states() == ["DELIVERED", "PENDING", "PENDING", "PENDING"]
    one.refresh_from_db()
    assert one.failures == 1
    assert one.last_words
    assert deliver_due(now=timezone.now()) == []
    deliver_due(now=later(seconds=6))
    assert numbers(server) == [0, 1, 2, 3]
    assert all(got.is_signed for got in server.got)
    one.refresh_from_db()
    assert (one.failures, one.resume_at, one.lease_until) == (0, None, None)


def test_what_led_elsewhere_was_not_followed(server):
    receiver(server)
    say(1)
    server.answers = [302]

    deliver_due(now=timezone.now())

    assert server.connections == 1
    assert "leads elsewhere" in Delivery.objects.get().words


def test_a_single_message_that_is_refused_holds_up_no_other(server):
    receiver(server)
    for number in range(3):
        say(number)
    server.answers = [422]

    deliver_due(now=timezone.now())

    assert numbers(server) == [1, 2]
    assert states() == ["PENDING", "DELIVERED", "DELIVERED"]
    deliver_due(now=later(seconds=6))
    assert numbers(server) == [1, 2, 0]


def test_the_pauses_grow_and_after_a_day_it_is_given_up_with_one_alarm(server):
    one, began = receiver(server), timezone.now()
    say(1, at=began)
    server.always, pauses, now = 500, [], began
    while Delivery.objects.get().state == "PENDING":
        deliver_due(now=now)
        one.refresh_from_db()
        pauses.append((one.resume_at - now).total_seconds())
        now = one.resume_at

    assert pauses[0] <= 5
    assert pauses[8] > 500
    assert max(pauses) <= 3600
    assert now - began >= timedelta(hours=24)
    assert server.connections == len(pauses) < 60
    assert Delivery.objects.get().state == "DEAD"
    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.subject) == ("NOT_DELIVERED", f"receiver:{one.pk}")
    assert "ops" in alarm.words
    assert "HTTP 500" in alarm.words


def test_a_dead_receiver_holds_up_no_other(server, settings):
    with receiving() as healthy:
        origins = [one.url.removesuffix("/in") for one in (server, healthy)]
        settings.WEBHOOKS_TO = AllowList.read(origins, takes_http=True)
        receiver(server, "dead")
        receiver(healthy, "healthy")
        server.always = "hang"
        for number in range(5):
            say(number)

        deliver_due(now=timezone.now())

        assert numbers(healthy) == [0, 1, 2, 3, 4]
        assert numbers(server) == []


def test_two_passes_at_once_send_nothing_twice(server):
    receiver(server)
    say(1)
    Receiver.objects.update(lease_until=later(seconds=60))

    assert deliver_due(now=timezone.now()) == []
    assert not due_receivers(timezone.now()).exists()
    # A pass that died gives the receiver free when its lease is over.
    assert len(deliver_due(now=later(seconds=61))) == 1


def test_an_answer_that_was_not_recorded_makes_it_come_again_under_the_same_key(server):
    receiver(server)
    say(1)
    deliver_due(now=timezone.now())
    Delivery.objects.update(state="PENDING")

    deliver_due(now=timezone.now())

    first, second = server.got
    assert first.key == second.key


def test_a_receiver_that_is_switched_off_gets_it_when_it_is_on_again(server):
    one, now = receiver(server), timezone.now()
    say(1)
    switch(one, is_enabled=False, actor="owner", now=now)
    assert say(2) is None
    assert deliver_due(now=now) == []

    switch(one, is_enabled=True, actor="owner", now=now)
    deliver_due(now=timezone.now())

    assert numbers(server) == [1]
    kinds = AuditEvent.objects.filter(subject=f"receiver:{one.pk}").values_list("kind", "new")
    assert list(kinds) == [("added", "ops"), ("switched", "DISABLED"), ("switched", "ENABLED")]


def test_a_new_secret_signs_from_then_on(server):
    one = receiver(server)
    say(1)
    made = renew_secret(one, actor="owner", now=timezone.now())

    deliver_due(now=timezone.now())

    assert [got.is_signed for got in server.got] == [False]
    server.secret = made.secret
    say(2)
    deliver_due(now=timezone.now())
    assert [got.is_signed for got in server.got] == [False, True]


def test_a_secret_that_was_swapped_signs_nothing(server):
    one = receiver(server)
    say(1)
    other = seal_for(Receiver, "secret", Message.objects.get().pk, "planted")
    Receiver.objects.filter(pk=one.pk).update(secret=other)

    (outcome,) = deliver_due(now=timezone.now())

    assert not outcome.is_delivered
    assert server.got == []


def test_removing_a_receiver_takes_what_waits_for_it_along(server):
    one = receiver(server)
    say(1)

    remove(one, actor="owner", now=timezone.now())

    assert not Delivery.objects.exists()
    assert AuditEvent.objects.filter(kind="removed", actor="owner").exists()


def test_whatever_goes_wrong_with_one_receiver_is_its_own_trouble(server):
    receiver(server)
    say(1)
    Message.objects.update(kind="a\nb")  # no header of HTTP

    (outcome,) = deliver_due(now=timezone.now())

    assert (outcome.is_delivered, outcome.is_busy) == (False, True)
    assert Receiver.objects.get().failures == 1


def test_old_messages_are_forgotten_but_not_what_waits(server):
    receiver(server)
    old = timezone.now() - timedelta(days=40)
    say(1, at=old)
    say(2, at=old)
    Delivery.objects.filter(message=Message.objects.earliest("pk")).update(state="DELIVERED")

    assert old_messages(before=timezone.now()) == [Message.objects.earliest("pk").pk]


def test_the_threads_of_slow_receivers_come_to_an_end(server):
    receiver(server)
    server.always = "drip"
    say(1)

    deliver_due(now=timezone.now())

    until = time.monotonic() + 3
    while time.monotonic() < until and _sending():
        time.sleep(0.05)
    assert _sending() == []
    assert delivering.PASS_S < 5


def _sending():
    return [one for one in threading.enumerate() if one.name == "delivery"]
