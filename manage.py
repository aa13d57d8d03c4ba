#!/usr/bin/env python
"""Run a management command; a setting that cannot be right stops it with one sentence."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeswim.settings.dev")
    from tradeswim.env import BadSetting

    try:
        _run(sys.argv)
    except BadSetting as bad:
        sys.exit(f"Cannot start: {bad}")


def _run(arguments: list[str]) -> None:
    if arguments[1:] == ["up"]:
        from tradeswim.up.running import main as up  # without Django: 45 MB and a second less

        up()
    else:
        from django.core.management import execute_from_command_line

        execute_from_command_line(arguments)


if __name__ == "__main__":
    main()
