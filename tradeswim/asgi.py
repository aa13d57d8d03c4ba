"""The ASGI entry; it stamps each request's arrival, the click that broadcasts are measured from."""

import os
import time
from typing import Any

from django.core.asgi import get_asgi_application

from tradeswim import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeswim.settings.dev")
_django = get_asgi_application()
starting.refuse_unsafe()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one request."""
    scope["received_at"] = time.time()
    await _django(scope, receive, send)
