"""A person at the broker's login pages, without a screen."""

from typing import Any

import pyotp
import requests

from tests.support.paper import PaperBroker


class Visitor:
    """A browser without a screen: keeps cookies and sends what the pages' forms would."""

    def __init__(self, paper: PaperBroker, login: dict[str, Any]) -> None:
        self.paper, self.login = paper, login
        self.session = requests.Session()
        self.session.trust_env = False

    def open(self, **query: str) -> requests.Response:
        query = {
            "client_id": self.login["app_key"],
            "redirect_uri": self.login["callback_url"],
            **query,
        }
        return self.session.get(
            f"{self.paper.url}/v1/oauth/authorize", params=query, allow_redirects=False, timeout=10
        )

    def walk(self, address: str, *accounts: str) -> str:
        """Go all the way from an address of ours; return the address the browser is sent to.

        Args:
            accounts: hashes of those to link; none links all.
        """
        self.session.get(address, allow_redirects=False, timeout=10).raise_for_status()
        shown = self.send(user=self.login["user"], password=self.login["password"])
        if shown["page"] == "code":
            shown = self.send(code=self.code())
        if shown["page"] == "device":
            self.send(remember="no")
        return self.link(*(accounts or [one["hash"] for one in self.login["accounts"]]))

    def look(self) -> Any:
        return self.session.get(f"{self.paper.url}/ui/page", timeout=10).json()

    def send(self, **form: Any) -> Any:
        return self.session.post(f"{self.paper.url}/ui/step", json=form, timeout=10).json()

    def sign_in(self, password: str | None = None) -> Any:
        self.open(state="a-state")
        return self.send(user=self.login["user"], password=password or self.login["password"])

    def code(self) -> str:
        return pyotp.TOTP(self.login["totp_secret"]).now()

    def link(self, *accounts: str) -> str:
        """Go from the consent to the end; return the address with the code."""
        assert self.send(accepted=True)["page"] == "accounts"
        assert self.send(accounts=list(accounts))["page"] == "confirmation"
        return str(self.send()["redirect"])
