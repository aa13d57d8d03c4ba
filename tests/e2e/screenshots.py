"""Write every page and state to var/screenshots, for people: `make screenshots`.

`--url … --password …` takes them of a running installation instead of one of its own, `--only
history` those whose name begins so.
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from tests.e2e.browsing import CONTEXT, chromium, sign_in
from tests.e2e.past import fill, trade
from tests.e2e.states import SHOTS
from tests.support.stack import PASSWORD, Program, Stack, free_ports

FOLDER = Path(__file__).resolve().parents[2] / "var" / "screenshots"
SIZES = ((1366, 768), (1920, 1080), (390, 844))


def take(browser: Browser, url: str, password: str, only: str) -> None:
    """Take every picture in every size."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in SHOTS if shot.name.startswith(only)]
    for width, height in SIZES:
        size = {"width": width, "height": height}
        visitor = browser.new_context(**{**CONTEXT, "viewport": size}).new_page()
        agent = browser.new_context(**{**CONTEXT, "viewport": size}).new_page()
        sign_in(agent, url, "agent", password)
        for shot in wanted:
            page = agent if shot.is_signed_in else visitor
            page.goto(url + shot.path)
            page.wait_for_timeout(700)
            shot.do(page)
            path = FOLDER / f"{shot.name}-{width}.png"
            page.screenshot(path=path)
            print(path)


@contextmanager
def installation() -> Iterator[str]:
    """Start one with a past, broadcasts that work and one that is filled; return its address."""
    with TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "home", *free_ports(), DEMO_TRADE="1")
        try:
            ready = stack.wait_until_ready()
            stack.wait_for(lambda: "  page " in stack.output())
            fill(stack, broadcasts=150)
            trade(Program(ready))
            yield ready["url"]
        finally:
            stack.stop()


if __name__ == "__main__":
    options = ArgumentParser(description=__doc__)
    options.add_argument("--url")
    options.add_argument("--password", default=PASSWORD)
    options.add_argument("--only", default="")
    given = options.parse_args()
    with chromium() as browser:
        if given.url:
            take(browser, given.url, given.password, given.only)
        else:
            with installation() as url:
                take(browser, url, PASSWORD, given.only)
