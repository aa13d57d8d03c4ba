"""Let the workers' threads keep their database connection from task to task.

Celery closes it before and after every task, so that each task opens one, reads the whole schema
and prepares its statements anew: milliseconds between the click and the claim.
"""

from functools import cached_property
from typing import Any

from celery import Celery
from celery.fixups import django as celerys
from django.db import close_old_connections


class KeptConnections(celerys.DjangoWorkerFixup):  # type: ignore[name-defined,misc]  # no stubs
    """Closes what is broken or older than CONN_MAX_AGE, as Django does around a request."""

    def close_database(self, **_: Any) -> None:
        close_old_connections()


class _Fixup(celerys.DjangoFixup):
    @cached_property
    def worker_fixup(self) -> KeptConnections:
        return KeptConnections(self.app)


def fixup(app: Celery) -> Any:
    """Install what Celery does for Django, with connections that are kept."""
    return _Fixup(app).install()
