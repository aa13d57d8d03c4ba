"""Who is signed in when pages are tested."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.domain.words import Role
from accounts.models import User
from tests.support.fleet import Fleet
from tests.web.losing import grow_old


@pytest.fixture(autouse=True, scope="session")
def _static_root() -> None:
    """The server of static files warns when its directory is not there."""
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)


@pytest.fixture
def agent(client: Client, fleet: Fleet) -> Client:
    """A browser in which the agent is signed in."""
    client.force_login(fleet.agent)
    return client


@pytest.fixture
def viewer(db) -> Client:
    """A browser in which somebody is signed in who may only look."""
    browser = Client()
    browser.force_login(User.objects.create_user("viewer", role=Role.VIEWER))
    return browser


@pytest.fixture
def lose(fleet):
    """Broadcast shares, or a ticket, whose answers in these accounts get lost; return them."""

    def broadcast(*places, contracts=10, age_s=0, ticket=None):
        for place in places:
            account = fleet.accounts[place].hash_value
            fleet.broker.fault("drop_after", method="POST", account=account)
        order = fleet.broadcast(ticket or fleet.shares(contracts))
        lost = [child for child in fleet.children(order) if child.status == "UNKNOWN"]
        assert len(lost) == len(places)
        for child in lost:
            grow_old(child, age_s)
        return lost

    return broadcast
