"""Ask a paper broker's control interface: its logins, and an authorization without its pages."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from brokerage.errors import Refused, Unavailable


class PaperControl:
    """The control interface at the plain port of a paper broker on this machine."""

    def __init__(self, url: str, *, timeout_s: float = 10) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False

    def logins(self) -> list[dict[str, Any]]:
        """Return every login with its keys, user and accounts (design: GET /paper/logins)."""
        logins: list[dict[str, Any]] = self._call("GET", "/paper/logins")
        return logins

    def authorize(self, *, app_key: str, callback_url: str, user: str) -> str:
        """Return the code of a fresh authorization, as if the login pages had been walked."""
        body = {"client_id": app_key, "redirect_uri": callback_url, "login": user}
        redirect = self._call("POST", "/paper/authorize", body)["redirect"]
        return str(parse_qs(urlsplit(redirect).query)["code"][0])

    def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        try:
            answer = self._session.request(
                method, self._url + path, json=body, timeout=self._timeout_s
            )
        except requests.RequestException:
            raise Unavailable(f"The paper broker at {self._url} does not answer.") from None
        if not answer.ok:
            raise Refused(
                f"The paper broker refused {path}: HTTP {answer.status_code}.",
                status=answer.status_code,
            )
        return answer.json()
