"""The demo's settings for installations that faults happen to: crash points, shorter pauses."""

from datetime import timedelta

from tradeswim import env, schedule
from tradeswim.settings.dev import *  # noqa: F403 - as all settings begin

RECONCILE_EVERY_S = env.integer("TRADESWIM_RECONCILE_EVERY_S", 5, low=1, high=60)
schedule.BEAT_SCHEDULE["reconcile"] |= {"schedule": timedelta(seconds=RECONCILE_EVERY_S)}
INSTALLED_APPS += ["tests.faults.crash_points.apps.CrashPoints"]  # noqa: F405
API_ACCESS_SECONDS = 6 * 3600  # a test signs in once
