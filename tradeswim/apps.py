"""The project's own app: it makes the Celery app the current one."""

from importlib import import_module

from django.apps import AppConfig


class TradeswimConfig(AppConfig):
    name = "tradeswim"

    def ready(self) -> None:
        import_module("tradeswim.celery")
