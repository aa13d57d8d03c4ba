"""An installation of a benchmark's own: nothing of the outer one is read or written."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.stack import without_outer_settings


@contextmanager
def own_installation(settings_module: str) -> Iterator[Path]:
    """Set up Django with a home, a database and keys of its own; yield the home, then remove it.

    Django is set up once per process, so a benchmark asks for this once.
    """
    home = Path(tempfile.mkdtemp(prefix="tradeswim-bench-"))
    own = {"TRADESWIM_HOME": str(home), "DJANGO_SETTINGS_MODULE": settings_module}
    alone = without_outer_settings(os.environ) | own
    os.environ.clear()
    os.environ.update(alone)
    try:
        _set_up()
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _set_up() -> None:
    import django

    django.setup()

    from accounts.domain.envelope import KeyRing
    from accounts.fields import write_key_ring

    write_key_ring(KeyRing.fresh())
