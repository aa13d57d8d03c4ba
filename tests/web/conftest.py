"""Who is signed in when pages are tested."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.domain.words import Role
from accounts.models import User
from tests.integration.orders.leaving import enter
from tests.support.fleet import Fleet
from tests.support.history import fill_history
from tests.support.make import make_account, make_login, make_user
from tests.support.redis_server import RedisServer
from tests.web.losing import grow_old
from tests.web.signing_in import sign_in


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
def user(db) -> User:
    """The agent, who has no broker."""
    return make_user(Role.AGENT, username="agent")


@pytest.fixture
def desk(user) -> Client:
    """The agent at a browser of his own, signed in by the page."""
    return sign_in(user)


@pytest.fixture
def browser(user) -> Client:
    """A browser at http://localhost in which he is signed in; passkeys work there."""
    browser = Client(headers={"host": "localhost"})
    browser.force_login(user)
    return browser


@pytest.fixture
def visitor() -> Client:
    """A browser at http://localhost in which nobody is signed in."""
    return Client(headers={"host": "localhost"})


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


@pytest.fixture
def trader(client, db):
    """A browser of an agent, and no broker behind it."""
    client.force_login(make_user(Role.AGENT, username="trader"))
    return client


@pytest.fixture
def trio(db):
    """Three accounts under a login, of which nothing was read."""
    login = make_login()
    return [make_account(login, alias=name) for name in ("Fjord Cap 1", "Alder", "Birch")]


@pytest.fixture
def past(client, db):
    """Twenty broadcasts to five accounts, every fifth in shares; their numbers, newest last."""
    client.force_login(make_user())
    return fill_history(accounts=5, broadcasts=20, working=4)


@pytest.fixture
def long_past(client, db):
    """More broadcasts than a page holds."""
    client.force_login(make_user())
    return fill_history(accounts=2, broadcasts=250, working=0, detailed=0)


@pytest.fixture
def way(fleet, queue, settings):
    """A condor of two contracts in three accounts; the queue hears, and quotes are kept."""
    settings.CACHE_URL = queue.url
    return enter(fleet, fleet.condor(2))


@pytest.fixture
def click(agent, django_capture_on_commit_callbacks):
    """Post to a page, and let its transaction commit."""

    def post(address, values=None, **options):
        with django_capture_on_commit_callbacks(execute=True):
            return agent.post(address, values or {}, **options)

    return post


@pytest.fixture
def cache(redis_server: RedisServer, settings) -> RedisServer:
    """An empty cache for what was read."""
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url
    return redis_server
