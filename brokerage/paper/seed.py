"""The logins and accounts a paper broker starts with; the same seed makes the same ones."""

import base64
import hashlib
import string
from dataclasses import dataclass
from decimal import Decimal

from brokerage.paper.books import Account
from brokerage.paper.oauth import Login

LISTED_CALLBACK = "https://127.0.0.1/callback"
WEB_CALLBACK_PATH = "/oauth/callback/"
USUAL_CASH, CASH_SPREAD = 22_000, 400
LETTERS = string.ascii_letters + string.digits
KEY_LENGTH, SECRET_LENGTH, TOTP_BYTES = 32, 16, 20


@dataclass(frozen=True, slots=True)
class SeedOptions:
    """How the paper broker begins.

    Args:
        web_url: where the product's pages are; its callback is registered with every app.
        is_margin: open MARGIN accounts; otherwise CASH.
    """

    accounts: int = 45
    accounts_per_login: int = 1
    seed: int = 1
    web_url: str = "http://127.0.0.1:8000"
    is_margin: bool = True


def make_logins(options: SeedOptions) -> list[Login]:
    """Make the logins, each under an app of its own."""
    count = -(-options.accounts // options.accounts_per_login)
    callbacks = (LISTED_CALLBACK, options.web_url.rstrip("/") + WEB_CALLBACK_PATH)
    return [_login(options.seed, number, callbacks) for number in range(1, count + 1)]


def make_accounts(options: SeedOptions) -> list[Account]:
    """Make the accounts, in the order of their logins."""
    return [_account(options, index) for index in range(options.accounts)]


def _login(seed: int, number: int, callbacks: tuple[str, ...]) -> Login:
    source = f"{seed} login {number}"
    return Login(
        label=f"Paper {number:03d}",
        user=user_name(number),
        password=_letters(f"{source} password", 16),
        totp_secret=base64.b32encode(_bytes(f"{source} totp", TOTP_BYTES)).decode(),
        app_key=_letters(f"{source} key", KEY_LENGTH),
        app_secret=_letters(f"{source} secret", SECRET_LENGTH),
        callbacks=callbacks,
    )


def user_name(number: int) -> str:
    """Name the user of a login."""
    return f"paper{number:03d}"


def _account(options: SeedOptions, index: int) -> Account:
    source = f"{options.seed} account {index}"
    drawn = _bytes(source, 8)
    # The index in the middle keeps the numbers apart, whatever is drawn around it.
    number = f"{drawn[0] % 9 + 1}{index:05d}{drawn[1] % 100:02d}"
    spread = int.from_bytes(drawn[2:], "big") % (2 * CASH_SPREAD * 100) - CASH_SPREAD * 100
    cash = USUAL_CASH + Decimal(spread) / 100
    return Account(
        number=number,
        hash=_bytes(f"{source} {number}", 32).hex().upper(),
        user=user_name(index // options.accounts_per_login + 1),
        is_margin=options.is_margin,
        cash=cash,
        opening_cash=cash,
    )


def _bytes(source: str, count: int) -> bytes:
    """Draw bytes that follow from a text."""
    return hashlib.shake_256(source.encode()).digest(count)


def _letters(source: str, count: int) -> str:
    return "".join(LETTERS[byte % len(LETTERS)] for byte in _bytes(source, count))
