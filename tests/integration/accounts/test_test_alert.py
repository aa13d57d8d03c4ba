"""`manage.py test_alert` sends one of each to everybody, and says what came of it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.domain.allow_list import AllowList
from accounts.models import Alarm
from accounts.services.hooks import add_receiver
from tests.support.receiving import receiving
from tests.support.smtp_sink import smtp_sink

pytestmark = pytest.mark.django_db
CODES = ["ORDERS_REJECTED", "UNKNOWN_TOO_LONG", "LOGIN_REQUIRED", "BEAT_STALLED", "FROZEN"]


@pytest.fixture
def mailbox(settings):
    with smtp_sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        settings.ALERT_TO = ["agent@example.com"]
        yield sink


@pytest.fixture
def server(settings):
    with receiving() as made:
        settings.WEBHOOKS_TO = AllowList.read([made.url.removesuffix("/in")], takes_http=True)
        added = add_receiver(name="ops", url=made.url, kinds=(), actor="owner", now=timezone.now())
        made.secret = added.secret
        yield made


def test_alert() -> str:
    out = StringIO()
    call_command("test_alert", stdout=out)
    return out.getvalue()


test_alert.__test__ = False  # type: ignore[attr-defined]


def test_one_of_each_goes_to_everybody(mailbox, server):
    said = test_alert().splitlines()

    assert len(said) == 10
    assert all(line.startswith("ok ") for line in said)
    assert sum("agent@example.com" in line for line in said) == 5
    assert [one.body["data"]["code"] for one in server.got] == CODES
    assert all(one.is_signed for one in server.got)
    subjects = [letter["Subject"] for letter in mailbox.mails]
    assert [subject.split(": ")[1] for subject in subjects] == CODES
    assert all(subject.startswith("[Tradeswim PAPER] Test: ") for subject in subjects)
    assert not Alarm.objects.exists()


def test_what_does_not_arrive_is_said(server):
    server.always = 503

    with pytest.raises(CommandError, match="5 of them did not arrive"):
        test_alert()


def test_with_nobody_to_tell_it_says_how_to_tell_somebody(db):
    with pytest.raises(CommandError, match="TRADESWIM_ALERT_TO"):
        test_alert()
