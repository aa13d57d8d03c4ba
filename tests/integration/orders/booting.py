"""Start the deployment in a test, and let it have run before."""

import json
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import Instance
from accounts.services.gate import find_gate, open_gate
from orders.services.starting import start_deployment, try_to_open
from tests.integration.orders.hands import force


def boot(fleet):
    """Start the deployment, as `manage.py prepare` does; return how the gate was found."""
    start_deployment(now=timezone.now())
    return attempt(fleet)


def gate_words() -> str:
    """Say why the gate is closed."""
    found = find_gate()
    assert found is not None
    return found.words


def attempt(fleet):
    return try_to_open(gateway=fleet.gateway, now=timezone.now())


def ran_before(fleet, *, hours=1):
    """Let this database have been in use until some hours ago."""
    start_deployment(now=timezone.now())
    open_gate(now=timezone.now(), by=fleet.agent)
    ended = timezone.now() - timedelta(hours=hours)
    Instance.objects.update(started_at=ended, pulsed_at=ended)


def by_other_hands(fleet, *, tag, index=0):
    """Let somebody who is not this database place an order; return its number."""
    order = fleet.create(fleet.shares(7, limit=Decimal("1.00")), accounts=fleet.accounts[:1])
    (child,) = fleet.children(order)
    force(child, status="SKIPPED")
    body = json.loads(child.body)
    return fleet.broker.make_order(fleet.accounts[index].hash_value, body, tag=tag), body
