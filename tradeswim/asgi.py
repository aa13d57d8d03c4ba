"""The ASGI entry; it stamps each request's arrival, the click that broadcasts are measured from."""

import os
import time
from typing import Any

from django.core.asgi import get_asgi_application

from tradeswim import starting
from tradeswim.threads import Threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeswim.settings.dev")
STREAM = "/live/stream/"
_django = get_asgi_application()
starting.refuse_unsafe()
_threads = Threads()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one request."""
    scope["received_at"] = time.time()
    if scope.get("path") == STREAM:  # lasts for minutes, and hardly ever needs a thread
        await _django(scope, receive, send)
        return
    async with _threads.lent():
        await _django(scope, receive, send)
