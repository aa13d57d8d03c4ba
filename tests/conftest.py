"""Fixtures that several kinds of tests share."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.db import connection

from accounts.domain.envelope import KeyRing
from accounts.fields import write_key_ring
from accounts.live.shelf import rendered
from accounts.services.beat_runs import forget_runs
from accounts.services.market_hours import forget_hours
from accounts.services.read_times import forget_reads
from accounts.services.session_places import forget_places
from accounts.services.session_use import forget_uses
from brokerage.budget import the_budget
from brokerage.transport import Gateway
from brokerage.transport.process import close_process_gateway
from orders.services.order_beats import forget_counts
from orders.services.polling import forget_what_is_on_the_way
from tests.support.fleet import Fleet, connect
from tests.support.paper import PaperBroker
from tests.support.redis_server import RedisServer, point_celery_to


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """Let tests empty the record between them; tests/security puts its triggers back."""
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        import_module("accounts.migrations.0008_sealed_record").unprotect(None, editor)


@pytest.fixture(autouse=True, scope="session")
def _key_file() -> None:
    write_key_ring(KeyRing.fresh())


@pytest.fixture(autouse=True)
def _no_gateway_left_open() -> Iterator[None]:
    """Close the process's gateway: the next test may have another broker."""
    yield
    close_process_gateway()


@pytest.fixture(autouse=True)
def _no_panel_kept() -> None:
    """Forget what was rendered: the next test's database numbers its events from one again."""
    rendered.clear()


@pytest.fixture(autouse=True)
def _no_session_known() -> None:
    """Forget when and where sessions of other tests were used."""
    forget_uses()
    forget_places()


@pytest.fixture(autouse=True)
def _fresh_budget() -> None:
    """Forget what other tests spent, asked and heard: all of them trade with the same logins."""
    the_budget().forget()
    forget_reads()
    forget_runs()
    forget_hours()
    forget_counts()
    forget_what_is_on_the_way()


@pytest.fixture(scope="session")
def gateway_to_paper(paper_server: PaperBroker) -> Iterator[Gateway]:
    """One gateway for the whole run, as a worker process has one."""
    gateway = Gateway(paper_server.tls_url, ca_file=paper_server.ca_file)
    yield gateway
    gateway.close()


@pytest.fixture
def broker(paper: PaperBroker, settings) -> PaperBroker:
    """The paper broker, and settings that point to it."""
    settings.BROKER_URL = paper.tls_url
    settings.BROKER_CA_FILE = paper.ca_file
    settings.PAPER_URL = paper.url
    return paper


@pytest.fixture
def fleet(db, broker, gateway_to_paper) -> Fleet:
    """Three connected accounts under three logins, an agent, and hands to trade with them."""
    return connect(broker, gateway_to_paper, accounts=3)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory) -> Iterator[RedisServer]:
    """A real Redis-compatible server for the whole run."""
    server = RedisServer(Path(tmp_path_factory.mktemp("redis")))
    yield server
    server.stop()


@pytest.fixture
def queue(redis_server, settings) -> Iterator[RedisServer]:
    """The task queue, empty at first; settings and Celery point to it."""
    before = settings.REDIS_URL
    redis_server.client.flushall()
    settings.REDIS_URL = redis_server.url
    point_celery_to(redis_server.url)
    yield redis_server
    point_celery_to(before)
