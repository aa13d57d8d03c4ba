"""Bring messages to people and programs outside; keeps no rows and decides nothing."""

from accounts.alerts.errors import NotDelivered, RefusedByReceiver
from accounts.alerts.mailing import mail
from accounts.alerts.posting import post

__all__ = ["NotDelivered", "RefusedByReceiver", "mail", "post"]
