"""The project's own app: it makes the Celery app the current one, and registers the checks."""

from importlib import import_module

from django.apps import AppConfig


class TradeswimConfig(AppConfig):
    name = "tradeswim"

    def ready(self) -> None:
        import_module("tradeswim.celery")
        for name in ("queueing", "numbers", "databases", "rows"):
            import_module(f"tradeswim.checks.{name}")
