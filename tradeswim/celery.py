"""The Celery app: a doorbell, never a ledger; the database rows are the truth."""

import os
import time
from typing import Any, Self

import kombu
from celery import Celery, Task
from celery.app.amqp import AMQP
from celery.signals import (
    beat_init,
    before_task_publish,
    celeryd_init,
    task_postrun,
    task_prerun,
    worker_ready,
)
from django.conf import settings

from tradeswim.schedule import BEAT_SCHEDULE, QUEUES, ROUTES

# The header of a message that names the request behind it.
REQUEST_ID = "request_id"

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeswim.settings.dev")
# Django's own checks load every page, 40 MB a process; `prepare` runs them once for all. What an
# order needs is checked by each process (start_safely).
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")


class EagerConnection(kombu.Connection):
    """Comes back soon: kombu waits 2, 4, 6 … 30 s between attempts, whatever it is told."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Self:
        pace = {"interval_start": 0.5, "interval_step": 0.5, "interval_max": 2}
        return super().ensure_connection(*args, **{**pace, **kwargs})


class Wiring(AMQP):
    Connection = EagerConnection


class TradeswimCelery(Celery):
    amqp_cls = "tradeswim.celery:Wiring"
    builtin_fixups = {"tradeswim.celery_database:fixup"}


app = TradeswimCelery("tradeswim")
# Of the tasks that run now, by their ids.
_began_at: dict[str, float] = {}
app.config_from_object(
    {
        "broker_url": settings.REDIS_URL,
        "broker_transport_options": {
            # A silent Redis holds up nobody for longer, and is noticed within five seconds: a
            # worker waits 1 s for messages, then health_check_interval, looked at as often.
            "socket_timeout": 2,
            "socket_connect_timeout": 1,
            "socket_keepalive": True,
            "health_check_interval": 2,
            "retry_on_timeout": False,
            "max_retries": 0,  # whoever rings tries to connect once; workers go on for ever
            "visibility_timeout": 120,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "queue_order_strategy": "priority",
            "client_name": "tradeswim",
        },
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_limit": 10,
        "broker_connection_timeout": 1,
        "result_backend": None,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        "task_publish_retry": False,
        # Early acknowledgement: the queue never runs a money task a second time.
        "task_acks_late": False,
        "task_reject_on_worker_lost": False,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # Disabling prefetch altogether would make a worker with one slot see its next message up
        # to a second late: placement alone is started with --disable-prefetch.
        "worker_prefetch_multiplier": 1,
        "worker_enable_prefetch_count_reduction": True,
        "worker_soft_shutdown_timeout": 12.0,
        "worker_enable_soft_shutdown_on_idle": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "task_track_started": False,
        "task_create_missing_queues": False,
        "task_default_queue": "maint",
        "task_queues": QUEUES,
        "task_routes": ROUTES,
        "timezone": "UTC",
        "enable_utc": True,
        "beat_schedule": BEAT_SCHEDULE,
        "beat_scheduler": "tradeswim.beat:Scheduler",
        "beat_max_loop_interval": 1,
        "beat_enable_remote_control": True,
        "beat_remote_control_max_tick_age": 15,
    }
)
app.autodiscover_tasks(["accounts", "orders"])


@celeryd_init.connect
@beat_init.connect
def start_safely(**_: Any) -> None:
    """Refuse to start with anything that is not safe for orders."""
    from tradeswim.starting import refuse_unsafe

    refuse_unsafe()


@worker_ready.connect
def open_for_business(**_: Any) -> None:
    """Warm up what places orders, then say that this worker is ready."""
    from accounts.live import process
    from accounts.services.heartbeats import keep_saying_alive
    from tradeswim import warmth

    if "placement" in app.amqp.queues.consume_from:
        warmth.keep_warm()
    process.calm_garbage_collector()
    keep_saying_alive()
    process.say_ready()


@beat_init.connect
def beat_is_ready(**_: Any) -> None:
    """Say that the beat is ready."""
    from accounts.live import process
    from accounts.services.heartbeats import keep_saying_alive

    keep_saying_alive()
    process.say_ready()


@before_task_publish.connect
def hand_on_request(headers: dict[str, Any], **_: Any) -> None:
    """Let a task know the request that made somebody ring for it."""
    from accounts.live.asking import asking

    headers[REQUEST_ID] = asking().request_id


@task_prerun.connect
def begin_task(task_id: str, task: Task[Any, Any], **_: Any) -> None:
    """Let the record and the log name the request behind what a task does."""
    from accounts.live import asking

    asking.go_on(str(task.request.get(REQUEST_ID) or ""))
    _began_at[task_id] = time.monotonic()


@task_postrun.connect
def count_task(task_id: str, task: Task[Any, Any], state: str | None = None, **_: Any) -> None:
    """Count a task that ended."""
    from accounts.live import asking
    from accounts.services.metering import TASK_SECONDS, TASKS

    asking.end()
    TASKS.labels(task.name, state or "").inc()
    if (began_at := _began_at.pop(task_id, None)) is not None:
        TASK_SECONDS.labels(task.name).observe(time.monotonic() - began_at)
