"""What the paper broker's tests share."""

from collections.abc import Iterator

import pytest

from tests.integration.paper.listener import Listener
from tests.integration.paper.trader import Trader
from tests.support.paper import PaperBroker


@pytest.fixture
def trader(paper: PaperBroker) -> Iterator[Trader]:
    """A signed-in customer."""
    customer = Trader(paper)
    yield customer
    customer.session.close()


@pytest.fixture
def listener(trader: Trader) -> Iterator[Listener]:
    client = Listener(trader)
    yield client
    client.close()
