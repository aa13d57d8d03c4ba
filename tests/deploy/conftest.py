"""One deployment for all tests that need one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.installation import Deployment
from tests.deploy.proxy import Proxy
from tests.faults.trader import Trader

ACCOUNTS = 6
# The first one waits until everything has started.
LONGEST_TEST_S = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(LONGEST_TEST_S))


@pytest.fixture(scope="session")
def deployment(tmp_path_factory) -> Iterator[Deployment]:
    (folder := tmp_path_factory.mktemp("deploy") / "machine").mkdir()
    deployment = Deployment(folder.parent, accounts=ACCOUNTS)
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.end()


@pytest.fixture(scope="session")
def proxy(deployment: Deployment) -> Proxy:
    return deployment.proxy


@pytest.fixture(scope="session")
def trader(deployment: Deployment) -> Trader:
    """Who clicks, through nginx."""
    return Trader(deployment, deployment.ready)
