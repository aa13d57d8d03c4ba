"""How gunicorn serves the site (`python -m gunicorn -c python:tradeswim.gunicorn_conf`)."""

import os

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "asgi"
workers = 2
graceful_timeout = 3
timeout = 60
keepalive = 5
max_requests = 0
control_socket_disable = True


def post_worker_init(worker: object) -> None:
    """Make ready for the first click before it comes: it took a third of a second longer."""
    from django.urls import get_resolver

    from accounts.live.process import calm_garbage_collector
    from accounts.services.heartbeats import keep_saying_alive
    from accounts.tasks.queue import open_queue

    get_resolver().url_patterns  # noqa: B018 - asking loads every view
    open_queue()
    keep_saying_alive("web")
    calm_garbage_collector()


wsgi_app = "tradeswim.asgi:application"
