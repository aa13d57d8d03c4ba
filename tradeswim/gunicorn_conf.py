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
# As many requests of one page come at once.
WARM_THREADS = 3
# The workers share what is loaded before they are made.
preload_app = True


def when_ready(server: object) -> None:
    """Load all pages, and keep the collector from touching what the workers are to share."""
    import gc

    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()


def post_worker_init(worker: object) -> None:
    """Make ready for the first click before it comes."""
    from accounts.live.process import calm_garbage_collector
    from accounts.services.heartbeats import keep_saying_alive
    from accounts.tasks.queue import open_queue
    from tradeswim.asgi import threads

    threads.warm(WARM_THREADS)
    open_queue()
    keep_saying_alive("web")
    calm_garbage_collector()


wsgi_app = "tradeswim.asgi:application"
