"""The demo and a developer's machine: paper broker, SQLite, plain HTTP on loopback."""

from tradeswim.settings.base import *

SECRET_KEY = env.secret_key(may_create=True)
