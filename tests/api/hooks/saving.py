"""What is saved for hooks, and what became of it."""

from django.utils import timezone

from orders.models import AccountOrder, ComplexOrder
from orders.selectors.choosing import AccountChoice
from orders.services.saving import save_order


def save(fleet, ticket, name="Mine", choice=None, agent=None):
    return save_order(
        agent=agent or fleet.agent,
        name=name,
        number=0,
        ticket=ticket,
        choice=choice or AccountChoice(),
        now=timezone.now(),
    )


def assert_nothing_placed():
    assert not ComplexOrder.objects.exists()
    assert not AccountOrder.objects.exists()
