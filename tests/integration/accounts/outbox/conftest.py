"""A server that receives, which the host allows."""

import pytest

from accounts.domain.allow_list import AllowList
from tests.support.receiving import receiving


@pytest.fixture
def server():
    with receiving() as made:
        yield made


@pytest.fixture(autouse=True)
def _allowed(server, settings):
    settings.WEBHOOKS_TO = AllowList.read([server.url.removesuffix("/in")], takes_http=True)
    settings.WEBHOOK_TIMEOUT_S = 1.0
