"""The WSGI entry, for servers that speak nothing else; live updates then fall back to polling."""

import os

from django.core.wsgi import get_wsgi_application

from tradeswim import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeswim.settings.dev")
application = get_wsgi_application()
starting.refuse_unsafe()
