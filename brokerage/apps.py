"""The brokerage app."""

from django.apps import AppConfig


class BrokerageConfig(AppConfig):
    name = "brokerage"
