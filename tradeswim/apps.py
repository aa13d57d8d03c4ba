"""The tradeswim app."""

from django.apps import AppConfig


class TradeswimConfig(AppConfig):
    name = "tradeswim"
