"""The running site with its processes, and browsers that are watched, for tests in Chromium.

pytest-playwright keeps an event loop in the main thread, in which Django refuses its database:
these tests have a run of their own (`make e2e`) and see the site from outside only.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.browsing import CONTEXT, Watch, launch_options
from tests.e2e.living import Silence, Working, web_of
from tests.e2e.site import Site
from tests.support.stack import Stack, free_ports

# A file is one worker's. Those that take longest begin, or the last one is all that goes on.
LONGEST = ("sessions", "every_page", "failing", "restart", "up", "browser_login", "stocks", "live")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    names = [f"test_{name}" for name in LONGEST]
    items.sort(key=lambda one: names.index(one.path.stem) if one.path.stem in names else len(names))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return launch_options()


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    return dict(CONTEXT)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """An installation of this test module's own: 45 paper accounts, no sample trade."""
    stack = Stack(tmp_path_factory.mktemp("home"), *free_ports(), DEMO_TRADE="0")
    try:
        yield Site(stack, stack.wait_until_ready())
    finally:
        if stack.process.poll() is None:
            stack.stop()


@pytest.fixture
def order(site: Site) -> Working:
    """A condor that works in every account and is filled where a test wants it."""
    site.program.paper("market", {"fills": "manual"})
    return Working(site)


@pytest.fixture
def silence(site: Site) -> Iterator[Silence]:
    """A hand that makes the web server silent; at the end it speaks again."""
    found = Silence(web_of(site))
    yield found
    found.end()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fail a test in which the policy of the site was violated, or a script broke."""
    watch = Watch()
    yield watch
    watch.check()


@pytest.fixture
def context(context: BrowserContext, watch: Watch) -> BrowserContext:
    watch.over(context)
    return context


@pytest.fixture
def desk(page: Page, site: Site) -> Page:
    """The desk, with the agent signed in."""
    site.sign_in(page)
    return page


@pytest.fixture
def another_desk(browser: Browser, site: Site, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Open the desk in a browser of its own, as on another machine; more of CONTEXT as keywords."""
    contexts: list[BrowserContext] = []

    def open_desk(**more: Any) -> Page:
        context = browser.new_context(**{**CONTEXT, **more})
        contexts.append(context)
        watch.over(context)
        page = context.new_page()
        site.sign_in(page)
        return page

    yield open_desk
    for context in contexts:
        context.close()
