"""The ASGI entry; it stamps each request's arrival, the click that broadcasts are measured from."""

import os
import time
from typing import Any

import django

from tradeswim import starting
from tradeswim.serving import Handler, KeptThreads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeswim.settings.dev")
django.setup(set_prefix=False)
_django = Handler()
threads = KeptThreads()
starting.refuse_unsafe()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one request."""
    scope["received_at"] = time.time()
    async with threads.one():
        await _django(scope, receive, send)
