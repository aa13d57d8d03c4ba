"""The sweeper keeps its pace whatever Redis does, and rings when it can be heard."""

import os
import signal
import threading
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.services.instances import begin_run
from tests.support.redis_server import point_celery_to
from tests.support.tcp_proxy import Mode, TcpProxy

PERIOD_S, SECONDS = 0.2, 4


@pytest.fixture
def sweeps(transactional_db, caplog, settings, tmp_path):
    """Let the sweeper work for some seconds; return how often it found somebody to ring for."""
    before = signal.getsignal(signal.SIGTERM)
    caplog.set_level("INFO", "orders.management.commands.sweep")
    settings.HOME = tmp_path

    def count() -> int:
        begin_run(has_orders=True, now=timezone.now())
        end = threading.Timer(SECONDS, os.kill, (os.getpid(), signal.SIGTERM))
        end.start()
        try:
            call_command("sweep", every=PERIOD_S)
        finally:
            end.cancel()  # it would end the tests
        return sum("swept:" in record.message for record in caplog.records)

    yield count
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("mode", [Mode.HOLE, Mode.REFUSE], ids=["silent", "away"])
def test_the_pace_is_kept_while_redis_is_gone(fleet, queue, settings, sweeps, mode):
    settings.RING_AGAIN_AFTER_S = 0
    for contracts in (1, 2, 3):
        fleet.create(fleet.shares(contracts, limit=Decimal("1.00")))
    with TcpProxy(queue.port) as proxy:
        point_celery_to(proxy.url(queue.url))
        proxy.set(mode)

        assert sweeps() > 0.6 * SECONDS / PERIOD_S


@pytest.mark.django_db(transaction=True)
def test_a_single_sweep_rings_itself(fleet, queue, settings):
    settings.RING_AGAIN_AFTER_S = 0
    fleet.create(fleet.shares(limit=Decimal("1.00")))

    call_command("sweep", once=True)

    assert queue.messages("placement") == 1
