"""A running installation as tests in Chromium see it."""

from typing import Any

from playwright.sync_api import Page

from tests.e2e.browsing import sign_in
from tests.support.stack import Program, Stack


class Site:
    """A running installation: its addresses, its processes, and a program that trades on it."""

    def __init__(self, stack: Stack, ready: dict[str, Any]) -> None:
        self.stack, self.ready = stack, ready
        self.url: str = ready["url"]
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """Trades by the API and moves the paper broker; its sign-in lasts five minutes."""
        if self._program is None:
            self._program = Program(self.ready)
        return self._program

    def sign_in(self, page: Page) -> None:
        sign_in(page, self.url, self.ready["user"], self.ready["password"])
