#!/usr/bin/env python
"""Run a management command; a setting that cannot be right stops it with one sentence."""

import os
import sys


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradeswim.settings.dev")
    from django.core.management import execute_from_command_line

    from tradeswim.env import BadSetting

    try:
        execute_from_command_line(sys.argv)
    except BadSetting as bad:
        sys.exit(f"Cannot start: {bad}")


if __name__ == "__main__":
    main()
