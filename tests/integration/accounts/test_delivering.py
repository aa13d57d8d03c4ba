"""What is in the outbox reaches its receivers, signed, in order, at least once, and slows nobody."""

import logging
import socket
import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.domain.allow_list import AllowList
from accounts.domain.happenings import Channel, Kind
from accounts.fields import seal_for
from accounts.models import Alarm, AuditEvent, Delivery, Message, Receiver
from accounts.services import delivering
from accounts.services.alarms import acknowledge, raise_alarm
from accounts.services.delivering import deliver_due, due_receivers
from accounts.services.hooks import BadHook, add_receiver, remove, renew_secret, switch
from accounts.services.outbox import old_messages, publish, tell_alarms
from tests.support.make import make_user
from tests.support.receiving import receiving
from tests.support.smtp_sink import smtp_sink

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    with receiving() as made:
        yield made


@pytest.fixture(autouse=True)
def _allowed(server, settings):
    settings.WEBHOOKS_TO = AllowList.read([server.url.removesuffix("/in")], takes_http=True)
    settings.WEBHOOK_TIMEOUT_S = 1.0


def receiver(server, name="ops", kinds=()):
    made = add_receiver(name=name, url=server.url, kinds=kinds, actor="owner", now=timezone.now())
    server.secret = made.secret
    return made.row


def say(number, kind=Kind.ORDER_STATUS, at=None):
    return publish(kind, f"complexorder:{number}", {"n": number}, at=at or timezone.now())


def numbers(server):
    return [one.body["data"]["n"] for one in server.got]


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def later(**span):
    return timezone.now() + timedelta(**span)


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


# --- where nothing is sent (A26) ----------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["https://evil.example/in", "http://169.254.169.254/latest", "file:///etc/passwd"]
)
def test_no_receiver_is_made_at_an_address_that_the_host_does_not_allow(url):
    with pytest.raises(BadHook):
        add_receiver(name="x", url=url, kinds=(), actor="owner", now=timezone.now())
    assert not Receiver.objects.exists()


def test_a_row_changed_by_hand_leads_nowhere_else(server, settings):
    one = receiver(server)
    say(1)
    with receiving() as inside:
        Receiver.objects.filter(pk=one.pk).update(url=inside.url)

        deliver_due(now=timezone.now())

        assert inside.connections == 0
    assert "allow-list" in Delivery.objects.get().words


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "10.0.0.7"])
def test_an_allowed_name_that_leads_inside_is_not_followed(server, settings, monkeypatch, address):
    """The name's owner answers with an address of ours, as in DNS rebinding."""
    receiver(server)
    port = int(server.url.split(":")[2].removesuffix("/in"))
    settings.WEBHOOKS_TO = AllowList.read([f"https://hooks.example.com:{port}"], takes_http=False)
    Receiver.objects.update(url=f"https://hooks.example.com:{port}/in")
    asked = []

    def resolve(host, port, *args, **more):
        asked.append(host)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    say(1)

    deliver_due(now=timezone.now())

    assert asked == ["hooks.example.com"]
    assert server.connections == 0
    assert "not allowed" in Delivery.objects.get().words


def test_no_proxy_and_no_netrc_of_the_environment_is_used(server, monkeypatch):
    receiver(server)
    say(1)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    (outcome,) = deliver_due(now=timezone.now())

    assert outcome.is_delivered


def test_a_server_whose_certificate_nobody_signed_gets_nothing(broker, settings):
    """The paper broker's TLS port has a certificate of our own CA, which receivers do not."""
    origin = broker.tls_url
    settings.WEBHOOKS_TO = AllowList.read([origin], takes_http=False)
    add_receiver(name="tls", url=origin + "/in", kinds=(), actor="owner", now=timezone.now())
    say(1)

    (outcome,) = deliver_due(now=timezone.now())

    assert (outcome.is_delivered, outcome.is_busy) == (False, True)
    assert "SSLError" in outcome.words


def test_the_secret_and_the_address_are_in_no_log(server, caplog):
    caplog.set_level(logging.DEBUG)
    one = receiver(server)
    server.answers = ["drop"]
    say(1)

    deliver_due(now=timezone.now())

    ours = [record for record in caplog.records if record.name.startswith("accounts")]
    assert ours
    assert server.secret not in caplog.text
    assert "/in" not in "".join(record.getMessage() for record in ours)
    assert server.secret not in repr(one)


# --- e-mail ------------------------------------------------------------------------------------


@pytest.fixture
def mailbox(settings):
    with smtp_sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "alerts", "mail password"
        settings.ALERT_TO = ["agent@example.com", "ops@example.com"]
        yield sink


def raised(words="Look!", code="A_TEST"):
    raise_alarm(code, "a test", words, now=timezone.now())
    return Alarm.objects.get(acknowledged_at__isnull=True)


def test_an_alarm_is_mailed_once_to_everybody(mailbox):
    raised("Broadcast 7:\r\nBcc: evil@example.com")

    assert tell_alarms(now=timezone.now()) == 1
    deliver_due(now=timezone.now())

    assert tell_alarms(now=timezone.now()) == 0
    (letter,) = mailbox.mails
    assert mailbox.recipients == [["agent@example.com", "ops@example.com"]]
    assert letter["Subject"] == "[Tradeswim PAPER] A_TEST: Broadcast 7: Bcc: evil@example.com"
    assert letter["Bcc"] is None
    assert "/desk/alarms/" in letter.get_content()
    assert len(mailbox.sign_ins) == 1


def test_an_alarm_that_nobody_acknowledged_is_mailed_again_until_somebody_does(mailbox, settings):
    alarm, start = raised(), timezone.now()
    for minutes in (0, 14, 15, 29, 30):
        now = start + timedelta(minutes=minutes, seconds=1)
        tell_alarms(now=now)
        deliver_due(now=now)
    subjects = [letter["Subject"] for letter in mailbox.mails]
    assert subjects == [
        "[Tradeswim PAPER] A_TEST: Look!",
        "[Tradeswim PAPER] A_TEST: Look! (sent 2 times)",
        "[Tradeswim PAPER] A_TEST: Look! (sent 3 times)",
    ]

    acknowledge(alarm.pk, user=make_user(), now=start)

    assert tell_alarms(now=start + timedelta(hours=2)) == 0


def test_who_has_yet_to_get_an_alarm_is_not_told_of_it_twice(mailbox):
    raised()
    start = timezone.now()
    tell_alarms(now=start)

    assert tell_alarms(now=start + timedelta(hours=1)) == 0
    deliver_due(now=start + timedelta(hours=1))
    assert tell_alarms(now=start + timedelta(hours=1)) == 1


def test_whatever_goes_wrong_with_one_receiver_is_its_own_trouble(server):
    receiver(server)
    say(1)
    Message.objects.update(kind="a\nb")  # no header of HTTP

    (outcome,) = deliver_due(now=timezone.now())

    assert (outcome.is_delivered, outcome.is_busy) == (False, True)
    assert Receiver.objects.get().failures == 1


def test_a_mail_server_in_trouble_gets_it_later(mailbox, caplog):
    raised()
    mailbox.refusals = 1
    tell_alarms(now=timezone.now())

    (outcome,) = deliver_due(now=timezone.now())
    assert outcome.words == "The mail server did not take it (SMTPDataError)."
    deliver_due(now=later(seconds=6))

    assert len(mailbox.mails) == 1
    assert "mail password" not in caplog.text


def test_only_alarms_are_mailed(mailbox):
    raised()
    tell_alarms(now=timezone.now())

    assert say(1) is None
    assert Receiver.objects.get().channel == Channel.MAIL


def test_without_addresses_nobody_is_mailed_any_more(mailbox, settings):
    raised()
    tell_alarms(now=timezone.now())
    settings.ALERT_TO = []

    assert tell_alarms(now=later(hours=1)) == 0
    assert deliver_due(now=later(hours=1)) == []
    assert mailbox.mails == []


def test_an_alarm_waits_for_somebody_to_tell(server):
    raised()
    assert tell_alarms(now=timezone.now()) == 0
    assert Alarm.objects.get().told_at is None

    receiver(server)

    assert tell_alarms(now=timezone.now()) == 1
    deliver_due(now=timezone.now())
    (got,) = server.got
    assert got.body["data"]["code"] == "A_TEST"


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
