"""What open pages follow in tests: a broadcast that fills by hand, and a server that falls silent."""

import os
import re
import signal
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.site import Site

# Between the beat that sees a fill and the page: the beats read the broker every 5 s.
SEEN_WITHIN_MS = 15_000
LIVE = re.compile("^LIVE$")


class Working:
    """A broadcast in options whose fills a test decides."""

    def __init__(self, site: Site) -> None:
        self._program = site.program
        self._ticket = site.program.condor()
        self.number = site.program.post_order(self._ticket).json()["id"]
        sent = site.program.wait_for_order(self.number, "WORKING")
        self._numbers = [one["broker_order_id"] for one in sent["accounts"]]

    def send_again(self, *, contracts: int) -> int:
        """Send the same in another size; return its number."""
        number: int = self._program.post_order({**self._ticket, "contracts": contracts}).json()[
            "id"
        ]
        return number

    @property
    def row(self) -> str:
        return f"#order-{self.number}"

    def fill(self, accounts: int) -> None:
        """Fill it in some more accounts."""
        for _ in range(accounts):
            fill = {"quantity": 1, "price": self._ticket["limit"], "order_id": self._numbers.pop()}
            self._program.paper("fill", fill)

    def filled_in(self, page: Page, accounts: int) -> None:
        """Wait until a page shows it filled in so many accounts."""
        cells = page.locator(f"{self.row} .sg .st-filled")
        expect(cells).to_have_count(accounts, timeout=SEEN_WITHIN_MS)


def children_of(process: int) -> list[int]:
    """Return the processes that one started, whichever of its threads did."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text().split()]


def web_of(site: Site) -> int:
    """Return the web server's process; READY names the one of the beginning."""
    names = {
        one: Path(f"/proc/{one}/cmdline").read_bytes()
        for one in children_of(site.stack.process.pid)
    }
    return next(one for one, name in names.items() if b"gunicorn" in name)


class Silence:
    """The site's web server, alive and saying nothing."""

    def __init__(self, master: int) -> None:
        self._processes = [master, *children_of(master)]

    def begin(self) -> None:
        self._send(signal.SIGSTOP)

    def end(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        for process in self._processes:
            os.kill(process, number)


def is_live(page: Page) -> None:
    expect(page.locator("#lamp b")).to_have_text(LIVE, timeout=20_000)


def is_calm(page: Page) -> None:
    """Wait until what the connection caused is over."""
    is_live(page)
    page.wait_for_timeout(600)
