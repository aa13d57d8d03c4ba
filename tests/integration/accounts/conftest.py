"""Fixtures of pages that are told of changes, and of data keys."""

import pytest

from accounts.domain.envelope import KeyRing
from accounts.fields import write_key_ring
from accounts.live.panels import forget_silence


@pytest.fixture
def redis_for_pages(redis_server, settings):
    """The Redis that pages are told through."""
    settings.CACHE_URL = redis_server.url
    forget_silence()
    return redis_server


@pytest.fixture
def fresh_keys(settings, tmp_path) -> None:
    """Data keys of this test alone."""
    settings.KEY_FILE = tmp_path / "keys.json"
    write_key_ring(KeyRing.fresh())
