"""Rotate the data keys, and look at what is sealed under them."""

from io import StringIO

from django.core.management import call_command

from accounts.models import Account, BrokerLogin
from tests.support.make import make_account, make_login, make_token


def rotate(*arguments: str) -> str:
    said = StringIO()
    call_command("rotate_keys", "--wait", "0", *arguments, stdout=said)
    return said.getvalue()


def secrets_of(login: BrokerLogin) -> list[str]:
    """Open everything that is sealed for a login."""
    login = BrokerLogin.objects.get(pk=login.pk)
    numbers = [account.number.open() for account in Account.objects.filter(login=login)]
    return [login.app_key.open(), login.app_secret.open(), login.token.access.open(), *numbers]


def make_everything(label: str) -> BrokerLogin:
    login = make_login(label=label, app_key=f"key {label}", app_secret=f"secret {label}")
    make_token(login, access=f"access {label}")
    make_account(login, number=f"1234{label}")
    return login
