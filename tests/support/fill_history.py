"""Write a past into the installation whose home is TRADESWIM_HOME, for screenshots and measuring."""

import os
from argparse import ArgumentParser

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeswim.settings.dev")
    django.setup()

    from tests.support.history import fill_history

    options = ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=45)
    options.add_argument("--broadcasts", type=int, default=120)
    options.add_argument("--working", type=int, default=0)
    given = options.parse_args()
    fill_history(accounts=given.accounts, broadcasts=given.broadcasts, working=given.working)
