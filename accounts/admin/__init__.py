"""Django's admin as ours: who may administer sees everything but secrets, and changes little."""

from accounts.admin import control, people, record, schedules
from accounts.admin.site import administration

__all__ = ["administration", "control", "people", "record", "schedules"]
