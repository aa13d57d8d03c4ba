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
    """Leave all that was loaded by now out of every later garbage collection: it stays anyway."""
    gc.collect()
    gc.freeze()


wsgi_app = "tradeswim.asgi:application"
