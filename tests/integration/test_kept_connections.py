"""Tasks keep the database connection of the one before."""

import pytest
from django.db import connection

from tradeswim.celery import TradeswimCelery, app
from tradeswim.celery_database import KeptConnections


@pytest.fixture
def kept():
    """A connection that may be a minute old."""
    connection.ensure_connection()
    before, connection.close_at = connection.close_at, None
    yield
    connection.close_at = before


@pytest.mark.django_db(transaction=True)
def test_a_task_keeps_the_connection_of_the_one_before(kept):
    fixup = KeptConnections(app)
    opened = connection.connection

    fixup.close_database()

    assert connection.connection is opened


@pytest.mark.django_db(transaction=True)
def test_a_task_does_not_keep_a_connection_that_is_too_old(kept):
    fixup = KeptConnections(app)
    connection.close_at = 0

    fixup.close_database()

    assert connection.connection is None


def test_the_workers_keep_connections_instead_of_closing_them():
    assert TradeswimCelery.builtin_fixups == {"tradeswim.celery_database:fixup"}
