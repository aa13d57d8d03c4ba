"""Checks of Celery and the queue: nothing may repeat a command or wait for ever."""

from typing import Any
from urllib.parse import urlsplit

from celery import Task
from django.conf import settings
from django.core.checks import CheckMessage, register

from tradeswim.celery import app
from tradeswim.checks.rules import TAG, Rule, broken

LONGEST_WAIT_S = 5
CELERY = "Set it in tradeswim/celery.py as the repository has it, and unset CELERY_… variables."


def _conf(name: str) -> Any:
    return getattr(app.conf, name)  # a CELERY_… variable goes before what we configured


def _any_task(name: str) -> bool:
    return any(getattr(task, name) for task in _our_tasks())


def _our_tasks() -> list[Task[Any, Any]]:
    return [task for name, task in app.tasks.items() if not name.startswith("celery.")]


def _bad_transport() -> bool:
    options = _conf("broker_transport_options") or {}
    waits = [options.get(name) for name in ("socket_timeout", "socket_connect_timeout")]
    waits.append(options.get("health_check_interval"))
    return (
        not all(wait and 0 < wait <= LONGEST_WAIT_S for wait in waits)
        or bool(options.get("retry_on_timeout"))
        or options.get("max_retries") != 0
        or (options.get("visibility_timeout") or 0) <= settings.CLAIM_LEASE_S
    )


def _speaks_more_than_json() -> bool:
    accepted = set(_conf("accept_content")) | set(_conf("result_accept_content") or ())
    return accepted != {"json"} or _conf("task_serializer") != "json"


def _gives_up() -> bool:
    retries = _conf("broker_connection_retry") and _conf("broker_connection_retry_on_startup")
    return not retries or _conf("broker_connection_max_retries") is not None


def _queue_is_elsewhere() -> bool:
    if settings.IS_TEST:  # tests move the queue
        return False
    addresses = [_conf(f"broker_{kind}url") for kind in ("", "read_", "write_")]
    return any(address and address != settings.REDIS_URL for address in addresses)


def _place(address: str) -> tuple[str, int | None, str]:
    parts = urlsplit(address)
    is_socket = parts.scheme == "unix"
    return parts.hostname or "", parts.port or 6379, parts.path if is_socket else ""


def _shares_one_redis() -> bool:
    same = _place(settings.REDIS_URL) == _place(settings.CACHE_URL)
    return bool(settings.IS_PRODUCTION and same)


RULES = [
    Rule(
        "E001",
        lambda: _conf("task_always_eager") and not settings.IS_TEST,
        "Celery runs tasks in the calling process (task_always_eager): a click would place orders.",
        CELERY,
    ),
    Rule(
        "E002",
        lambda: _conf("result_backend"),
        "Celery has a result backend, which keeps and waits for results that the rows already say.",
        CELERY,
    ),
    Rule("E003", lambda: not _conf("task_ignore_result"), "Celery keeps results.", CELERY),
    Rule(
        "E004",
        lambda: _conf("task_acks_late") or _any_task("acks_late"),
        "Celery acknowledges late, so a message whose worker died is run again.",
        CELERY,
    ),
    Rule(
        "E005",
        lambda: _conf("task_reject_on_worker_lost") or _any_task("reject_on_worker_lost"),
        "Celery gives a lost worker's task to the next one, for ever.",
        CELERY,
    ),
    Rule(
        "E006",
        lambda: _conf("task_publish_retry"),
        "Celery publishes again after an error: one click could be two messages, and waits.",
        CELERY,
    ),
    Rule(
        "E007",
        _speaks_more_than_json,
        "Celery takes messages in other formats than JSON; pickle runs whatever is in them.",
        CELERY,
    ),
    Rule(
        "E008",
        _bad_transport,
        "Celery's connection to Redis can wait for ever, tries twice, or gives messages out again.",
        "Give broker_transport_options socket_timeout, socket_connect_timeout and "
        f"health_check_interval up to {LONGEST_WAIT_S} s, max_retries 0, no retry_on_timeout, and "
        "a visibility_timeout longer than TRADESWIM_CLAIM_LEASE_S.",
    ),
    Rule("E009", _gives_up, "Workers end when Redis is away for long.", CELERY),
    Rule(
        "E010",
        lambda: _conf("worker_cancel_long_running_tasks_on_connection_loss"),
        "Celery stops tasks when Redis goes, between a request to the broker and its answer.",
        CELERY,
    ),
    Rule(
        "E011",
        _queue_is_elsewhere,
        "Celery's queue is not at REDIS_URL, where a click looks whether it can be heard.",
        "Unset CELERY_BROKER_URL, CELERY_BROKER_READ_URL and CELERY_BROKER_WRITE_URL.",
    ),
    Rule(
        "W022",
        _shares_one_redis,
        "Queue and cache share one Redis: a cache that fills it up stops every order.",
        "Point CACHE_URL to an instance of its own, with maxmemory and volatile-lru.",
    ),
]


@register(TAG)
def check_queueing(**_: Any) -> list[CheckMessage]:
    """Look at Celery's configuration, and whether queue and cache are two."""
    return broken(RULES)
