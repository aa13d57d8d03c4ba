"""A program that calls a hook of the agent, who has saved an order."""

import pytest

from tests.api.hooks.saving import save
from tests.support.hooking import make_program


@pytest.fixture(autouse=True)
def _on(settings, queue):
    settings.HOOK_IN = True
    settings.CACHE_URL = queue.url


@pytest.fixture
def saved(fleet):
    """Ten shares at the market, in every account."""
    return save(fleet, fleet.shares())


@pytest.fixture
def program(fleet, saved):
    return make_program(fleet.agent)
