"""A day and a night with 45 logins, moved through by the clocks of both programs."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.domain.words import LoginStatus
from accounts.models import BrokerLogin, Token
from accounts.services.tokens import refresh_due_tokens
from tests.support.fleet import Fleet, connect

DAY = timedelta(hours=24)
BEAT = timedelta(seconds=30)
LOOK = timedelta(minutes=5)
# Tokens live for 30 minutes and are renewed 5 minutes early: 24 h / 25 min, and a beat of grace.
MOST_CALLS = 58


@pytest.fixture
def fleet(db, broker, gateway_to_paper):
    fleet = connect(broker, gateway_to_paper, accounts=45)
    yield fleet
    broker.clock(0)


def refusals(fleet: Fleet, now: datetime) -> list[str]:
    """Return whose access token the broker would not take now, by its own clock."""
    oauth = fleet.broker.broker.oauth
    rows = Token.objects.select_related("login")
    return [
        one.login.label
        for one in rows
        if oauth.user_of(one.access.open(), now=now.timestamp()) is None
    ]


@pytest.mark.timeout(120)
def test_no_broadcast_of_a_day_would_meet_an_expired_token(fleet):
    began = now = timezone.now()
    while now < began + DAY:
        now += BEAT
        fleet.broker.clock((now - began).total_seconds())
        refresh_due_tokens(now=now)
        if (now - began) % LOOK < BEAT:
            assert refusals(fleet, now) == []

    asked = Counter(row["path"] for row in fleet.broker.journal())["/v1/oauth/token"]
    assert asked <= 45 * (MOST_CALLS + 1)  # and one each for connecting
    statuses = BrokerLogin.objects.values_list("status", flat=True)
    assert set(statuses) == {LoginStatus.CONNECTED}
