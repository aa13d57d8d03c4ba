"""What runs when, and in which queue: the beat's schedule and the routes of all tasks."""

from datetime import timedelta

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
}


def _every(task: str, seconds: int) -> dict[str, object]:
    # A message that waited a whole period is worth nothing: the next one is already there.
    return {
        "task": task,
        "schedule": timedelta(seconds=seconds),
        "options": {"expires": seconds},
    }


def _heartbeat(queue: str) -> dict[str, object]:
    """Send a sign of life all the way through a queue."""
    every = heartbeats.QUEUE_EVERY_S
    return {
        "task": "accounts.say_alive",
        "schedule": timedelta(seconds=every),
        "kwargs": {"queue": queue},
        "options": {"queue": queue, "expires": every},
    }


BEAT_SCHEDULE = {
    "sync_stock_orders": _every("orders.sync_stock_orders", 5),
    "sync_option_orders": _every("orders.sync_option_orders", 5),
    "open_gate": _every("orders.open_gate", 5),
    "reconcile": _every("orders.reconcile", 5),
    "follow_successors": _every("orders.follow_successors", 5),
    "look_elsewhere": _every("orders.look_elsewhere", 30),
    "sync_accounts": _every("accounts.sync_accounts", 15),
    "refresh_tokens": _every("accounts.refresh_tokens", 30),
    "renew_logins": _every("accounts.renew_logins", 300),
    # Nine in New York's summer, eight in its winter.
    "preflight": {
        "task": "orders.preflight",
        "schedule": crontab(hour="13", minute="0", day_of_week="1-5"),
    },
    "thin_history": {
        "task": "orders.thin_history",
        "schedule": crontab(hour="7", minute="30"),
    },
    "seal_record": _every("accounts.seal_record", 5),
    **{f"heartbeat_{queue}": _heartbeat(queue) for queue in heartbeats.QUEUES},
    # Three times, so that one that is late loses no minute; each minute is counted once.
    "count_uptime": _every("accounts.count_uptime", 20),
    "forget_ended_sessions": {
        "task": "accounts.forget_ended_sessions",
        "schedule": crontab(hour="7", minute="10"),
    },
}
