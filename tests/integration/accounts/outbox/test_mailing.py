"""Alarms are told of, by mail too, until somebody acknowledges them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.domain.happenings import Channel
from accounts.models import Alarm, Receiver
from accounts.services.alarms import acknowledge, raise_alarm
from accounts.services.delivering import deliver_due
from accounts.services.outbox import tell_alarms
from tests.integration.accounts.outbox.receivers import later, receiver, say
from tests.support.make import make_user
from tests.support.smtp_sink import smtp_sink

pytestmark = pytest.mark.django_db


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
