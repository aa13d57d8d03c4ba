"""Make receivers and messages for them, and see what came of it."""

from datetime import timedelta

from django.utils import timezone

from accounts.domain.happenings import Kind
from accounts.models import Delivery
from accounts.services.hooks import add_receiver
from accounts.services.outbox import publish


def receiver(server, name="ops", kinds=()):
    made = add_receiver(name=name, url=server.url, kinds=kinds, actor="owner", now=timezone.now())
    server.secret = made.secret
    return made.row


def say(number, kind=Kind.ORDER_STATUS, at=None):
    return publish(kind, f"complexorder:{number}", {"n": number}, at=at or timezone.now())


def numbers(server):
    return [one.body["data"]["n"] for one in server.got]


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def later(**span):
    return timezone.now() + timedelta(**span)
