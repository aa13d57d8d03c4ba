"""The demo and a developer's machine: paper broker, SQLite, plain HTTP on loopback."""

from tradeswim import env
from tradeswim.settings.base import *

SECRET_KEY = env.secret_key(may_create=True)

# Straight from the source folders: no build step between an edit and the page.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
