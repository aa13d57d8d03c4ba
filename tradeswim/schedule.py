"""What runs when, and in which queue: the beat's schedule and the routes of all tasks."""

from datetime import timedelta
from typing import cast

from celery.schedules import crontab
from kombu import Queue

from accounts.domain import heartbeats

QUEUES = [Queue(name, routing_key=name) for name in heartbeats.QUEUES]

ROUTES = {
    "orders.place_account_orders": {"queue": "placement"},
    "orders.renew_and_place": {"queue": "placement"},
    "orders.advance_exits": {"queue": "placement"},
    "orders.send_cancels": {"queue": "placement"},
    "orders.send_rests": {"queue": "placement"},
    "orders.climb": {"queue": "placement"},
    "orders.sync_stock_orders": {"queue": "stocks"},
    "orders.sync_option_orders": {"queue": "options"},
    "orders.reconcile": {"queue": "recon"},
    "orders.follow_successors": {"queue": "recon"},
    "orders.look_elsewhere": {"queue": "maint"},
    "orders.thin_history": {"queue": "maint"},
    "orders.preflight": {"queue": "maint"},
    "orders.open_gate": {"queue": "recon"},
    "accounts.sync_accounts": {"queue": "accounts"},
    "accounts.refresh_accounts": {"queue": "accounts"},
    "accounts.refresh_tokens": {"queue": "logins"},
    "accounts.renew_login": {"queue": "logins"},
    "accounts.renew_logins": {"queue": "logins"},
    "accounts.sign_in_by_browser": {"queue": "logins"},
    "accounts.forget_ended_sessions": {"queue": "maint"},
    "accounts.seal_record": {"queue": "maint"},
    "accounts.count_uptime": {"queue": "maint"},
    "orders.tell_record": {"queue": "maint"},
    "accounts.deliver_messages": {"queue": "maint"},
}


def every(task: str, seconds: int) -> dict[str, object]:
    """Return an entry of the beat.

    A message that waited a whole period is worth nothing: the next one is already there. The
    scheduler of the database knows only `expire_seconds`, and drops an `expires`.
    """
    return {
        "task": task,
        "schedule": timedelta(seconds=seconds),
        "options": {"expire_seconds": seconds},
    }


def _heartbeat(queue: str) -> dict[str, object]:
    """Send a sign of life all the way through a queue."""
    beat = every("accounts.say_alive", heartbeats.QUEUE_EVERY_S)
    options = {**cast("dict[str, object]", beat["options"]), "queue": queue}
    return {**beat, "kwargs": {"queue": queue}, "options": options}


BEAT_SCHEDULE = {
    "sync_stock_orders": every("orders.sync_stock_orders", 5),
    "sync_option_orders": every("orders.sync_option_orders", 5),
    "open_gate": every("orders.open_gate", 5),
    "reconcile": every("orders.reconcile", 5),
    "follow_successors": every("orders.follow_successors", 5),
    "look_elsewhere": every("orders.look_elsewhere", 30),
    "sync_accounts": every("accounts.sync_accounts", 15),
    "refresh_tokens": every("accounts.refresh_tokens", 30),
    "renew_logins": every("accounts.renew_logins", 300),
    # Nine in New York's summer, eight in its winter.
    "preflight": {
        "task": "orders.preflight",
        "schedule": crontab(hour="13", minute="0", day_of_week="1-5"),
    },
    "thin_history": {
        "task": "orders.thin_history",
        "schedule": crontab(hour="7", minute="30"),
    },
    "seal_record": every("accounts.seal_record", 5),
    **{f"heartbeat_{queue}": _heartbeat(queue) for queue in heartbeats.QUEUES},
    # Three times, so that one that is late loses no minute; each minute is counted once.
    "count_uptime": every("accounts.count_uptime", 20),
    "tell_record": every("orders.tell_record", 5),
    "deliver_messages": every("accounts.deliver_messages", 5),
    "forget_ended_sessions": every("accounts.forget_ended_sessions", 600),
}
