"""The demo's settings for installations that faults happen to: crash points, shorter pauses."""

from tradeswim import env
from tradeswim.settings.dev import *  # noqa: F403 - as all settings begin

INSTALLED_APPS += ["tests.faults.crash_points.apps.CrashPoints"]  # noqa: F405
RECONCILE_EVERY_S = env.integer("TRADESWIM_RECONCILE_EVERY_S", 5, low=1, high=60)
API_ACCESS_SECONDS = 6 * 3600  # a test signs in once
