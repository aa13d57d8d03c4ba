"""Tests: a home of their own, fast passwords, no beat; the database by DATABASE_URL or a file."""

import os
import tempfile

if "PYTEST_XDIST_WORKER" in os.environ:  # it inherits the home of the process that started it
    os.environ.pop("TRADESWIM_HOME", None)
os.environ.setdefault("TRADESWIM_HOME", tempfile.mkdtemp(prefix="tradeswim-test-"))

from tradeswim.settings.base import *

IS_TEST = True
SECRET_KEY = "only-for-tests-" + "x" * 50
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that is missing
DATABASES["default"]["TEST"] = (
    {"NAME": str(HOME / "test.sqlite3")}
    if (DATABASES["default"]["ENGINE"].endswith("sqlite3"))
    else {}
)
DATABASES["default"]["CONN_MAX_AGE"] = 0  # a thread of a test ends with the test
