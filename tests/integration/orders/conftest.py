"""Fixtures of the broadcast: what went over the wire, a fast gateway, one login with three accounts."""

import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from django.utils import timezone

from accounts.domain.beats import Beat, Savings
from accounts.services import heartbeats
from accounts.services.beat_runs import BeatRun, record_run
from accounts.services.sealing import seal_events
from accounts.services.short_memory import short_memory
from brokerage.transport import Call, Exchange, Gateway
from strategies.domain.tickets import Ticket
from tests.integration.orders.hands import Wire
from tests.integration.orders.listening import Listening, listen
from tests.support.fleet import Fleet, connect
from tests.support.paper import PaperBroker
from tests.support.raw_server import dead_port
from tests.support.redis_server import RedisServer, point_celery_to

IMPATIENT_S = 1.0


@pytest.fixture
def wire(broker) -> Wire:
    """What the paper broker hears from now on."""
    return Wire(broker)


@pytest.fixture(scope="session")
def impatient_gateway(paper_server: PaperBroker) -> Iterator[Gateway]:
    """A gateway that waits one second for an answer, where a worker's waits ten."""
    gateway = Gateway(
        paper_server.tls_url, ca_file=paper_server.ca_file, total_timeout_s=IMPATIENT_S
    )
    yield gateway
    gateway.close()


@pytest.fixture
def impatient_fleet(db, broker, impatient_gateway) -> Fleet:
    """The fleet of three, that gives up after a second."""
    return connect(broker, impatient_gateway, accounts=3)


@pytest.fixture(scope="session")
def family_server() -> Iterator[PaperBroker]:
    """A paper broker with three accounts under each login."""
    broker = PaperBroker(accounts=6, accounts_per_login=3)
    yield broker
    broker.stop()


@pytest.fixture
def family(db, family_server, settings) -> Iterator[Fleet]:
    """Six accounts under two logins."""
    family_server.reset()
    family_server.market(speed=0)
    settings.BROKER_URL = family_server.tls_url
    settings.BROKER_CA_FILE = family_server.ca_file
    settings.PAPER_URL = family_server.url
    gateway = Gateway(family_server.tls_url, ca_file=family_server.ca_file)
    yield connect(family_server, gateway, accounts=2)
    gateway.close()


class Whole:
    """A gateway that hands over all answers in one batch, however long they take.

    How many batches there are is the clock's affair; statements are counted without it.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def stream(self, calls: Sequence[Call]) -> Iterator[list[tuple[int, Exchange]]]:
        return iter([list(enumerate(self._gateway.send_all(calls)))])


@pytest.fixture
def crowd(db, settings) -> Iterator[Fleet]:
    """Fifty accounts under five logins."""
    broker = PaperBroker(accounts=50, accounts_per_login=10)
    broker.market(speed=0)
    settings.BROKER_URL = broker.tls_url
    settings.BROKER_CA_FILE = broker.ca_file
    settings.PAPER_URL = broker.url
    gateway = Gateway(broker.tls_url, ca_file=broker.ca_file)
    yield connect(broker, Whole(gateway), accounts=5)
    gateway.close()
    broker.stop()


@pytest.fixture
def dead_queue(settings) -> Iterator[None]:
    """A task queue at a port on which nobody listens."""
    before = settings.REDIS_URL
    settings.REDIS_URL = f"redis://127.0.0.1:{dead_port()}/0"
    point_celery_to(settings.REDIS_URL)
    yield
    point_celery_to(before)


_condors: list[Ticket] = []


@pytest.fixture
def condor(fleet) -> Ticket:
    """A condor of one contract; its strikes are looked up once, for every seed has the same."""
    if not _condors:
        _condors.append(fleet.condor())
    return _condors[0]


@pytest.fixture
def by_hand(broker) -> None:
    """Let nothing fill until told."""
    broker.market(fills="manual")


@pytest.fixture
def prices(redis_server: RedisServer, settings) -> RedisServer:
    """An empty cache for quotes."""
    redis_server.client.flushall()
    settings.CACHE_URL = redis_server.url
    return redis_server


@pytest.fixture
def quotes_asked(broker) -> Callable[[], int]:
    """Count how often the broker was asked for quotes from now on."""
    seen = broker.journal()[-1]["seq"]
    return lambda: sum(row["path"].endswith("/quotes") for row in broker.journal(seen))


@pytest.fixture
def morning(fleet, settings, queue, tmp_path):
    """Everything is well: processes, beats, tokens and a backup of last night."""
    settings.CACHE_URL = settings.REDIS_URL = queue.url
    settings.BACKUP_FOLDER = tmp_path
    (tmp_path / "tradeswim-20260101T000000Z.backup").touch()
    short_memory().delete(heartbeats.KEY)
    for name in heartbeats.expected(has_streams=True):
        heartbeats.say_alive(name)
    for beat in Beat:
        now = time.time()
        run = BeatRun(started_at=now, finished_at=now, oldest_at=now)
        record_run(beat, run, {}, set(), Savings())
    while seal_events(now=timezone.now()):
        pass
    return fleet


@pytest.fixture
def streams(fleet: Fleet, redis_server, settings) -> Iterator[Listening]:
    """Streams of the fleet of three, all of them healthy."""
    yield from listen(fleet, redis_server, settings)


@pytest.fixture
def family_streams(family: Fleet, redis_server, settings) -> Iterator[Listening]:
    """Streams of six accounts under two logins."""
    yield from listen(family, redis_server, settings)
