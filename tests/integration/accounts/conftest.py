"""Fixtures of pages that are told of changes."""

import pytest

from accounts.live.panels import forget_silence


@pytest.fixture
def redis_for_pages(redis_server, settings):
    """The Redis that pages are told through."""
    settings.CACHE_URL = redis_server.url
    forget_silence()
    return redis_server
