"""Send one of each alert to everybody who is told, and say what came of it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.domain.happenings import Channel, DeliveryState, Kind
from accounts.models import Delivery, Message, Receiver
from accounts.services.delivering import deliver_due
from accounts.services.outbox import keep_mailbox, publish

EXAMPLES: Mapping[str, str] = {
    "ORDERS_REJECTED": "Broadcast 0: 2 account orders refused, in Account 1, Account 2: an example",
    "UNKNOWN_TOO_LONG": "Broadcast 0: unknown for too long whether placed in Account 1.",
    "LOGIN_REQUIRED": "Login 1 must be connected again, under Logins: an example",
    "BEAT_STALLED": "Stock orders have not been read for 60 s or more: an example",
    "FROZEN": "The fleet was frozen by somebody: an example",
}


class Command(BaseCommand):
    help = "Send one test alert of each kind by e-mail and webhooks, and say what came of it."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        keep_mailbox()
        sent = [
            message
            for code, words in EXAMPLES.items()
            if (message := publish(Kind.TEST, "test:alert", _data(code, words), at=now))
        ]
        if not sent:
            raise CommandError(
                "Nobody is told: make a receiver under Hooks and receivers, or set "
                "TRADESWIM_EMAIL_URL and TRADESWIM_ALERT_TO."
            )
        # Who is left alone for a while is asked all the same: that is what a test is for.
        Receiver.objects.filter(is_enabled=True).update(resume_at=None)
        deliver_due(now=now)
        failed = sum(self._say(row) for message in sent for row in _rows(message))
        if failed:
            raise CommandError(f"{failed} of them did not arrive; they are tried again.")

    def _say(self, row: Delivery) -> bool:
        """Say what came of one delivery; tell whether it failed."""
        receiver, is_well = row.receiver, row.state == DeliveryState.DELIVERED
        place = ", ".join(settings.ALERT_TO) if receiver.channel == Channel.MAIL else receiver.url
        words = row.words or "not tried: what waits for it goes first"
        mark = "ok    " if is_well else "FAILED"
        self.stdout.write(
            f"{mark} {row.message.data['code']:17} {receiver.name} ({place}): {words}"
        )
        return not is_well


def _data(code: str, words: str) -> dict[str, Any]:
    return {"code": code, "words": words}


def _rows(message: Message) -> list[Delivery]:
    rows = Delivery.objects.filter(message=message).select_related("message", "receiver")
    return list(rows.order_by("receiver__name"))
