"""How gunicorn serves the site (`python -m gunicorn -c python:tradeswim.gunicorn_conf`)."""

import gc
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
    """Open the queue, and leave all that was loaded out of every later garbage collection."""
    from accounts.tasks.queue import open_queue

    open_queue()
    gc.collect()
    gc.freeze()


wsgi_app = "tradeswim.asgi:application"
