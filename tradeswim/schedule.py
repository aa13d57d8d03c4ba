"""What runs when, and in which queue: the beat's schedule and the routes of all tasks."""

from datetime import timedelta

from celery.schedules import crontab
from kombu import Queue

QUEUE_NAMES = ("placement", "stocks", "options", "accounts", "logins", "recon", "maint")
QUEUES = [Queue(name, routing_key=name) for name in QUEUE_NAMES]

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
    "orders.open_gate": {"queue": "recon"},
    "accounts.sync_accounts": {"queue": "accounts"},
    "accounts.refresh_accounts": {"queue": "accounts"},
    "accounts.refresh_tokens": {"queue": "logins"},
    "accounts.renew_login": {"queue": "logins"},
    "accounts.renew_logins": {"queue": "logins"},
    "accounts.sign_in_by_browser": {"queue": "logins"},
    "accounts.forget_ended_sessions": {"queue": "maint"},
    "accounts.seal_record": {"queue": "maint"},
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
    "thin_history": {
        "task": "orders.thin_history",
        "schedule": crontab(hour="7", minute="30"),
    },
    "seal_record": every("accounts.seal_record", 5),
    "tell_record": every("orders.tell_record", 5),
    "deliver_messages": every("accounts.deliver_messages", 5),
    "forget_ended_sessions": every("accounts.forget_ended_sessions", 600),
}
