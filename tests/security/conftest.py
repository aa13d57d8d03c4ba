"""The world that attacks are made on, and who makes them."""

import pytest
from django.test import Client

from tests.security.walking import World, settle


@pytest.fixture
def world(fleet, queue, settings) -> World:
    settings.CACHE_URL = queue.url
    return settle(fleet)


@pytest.fixture
def agent(world) -> Client:
    """A browser in which the agent is signed in; what breaks is an answer, not an exception."""
    client = Client(raise_request_exception=False)
    client.force_login(world.fleet.agent)
    return client
