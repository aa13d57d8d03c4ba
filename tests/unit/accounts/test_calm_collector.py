"""A process whose garbage collector is calm still gives back what is closed."""

import subprocess
import sys

# In a process of its own: what is frozen stays frozen.
LIFE = """
import os, time, weakref
os.environ["DJANGO_SETTINGS_MODULE"] = "tradeswim.settings.test"
from accounts.live import process

process.COLLECT_EVERY_S = 0.05
process.calm_garbage_collector()

class Connection:
    def __init__(self):
        self.protocol = self

seen = weakref.ref(Connection())
until = time.monotonic() + 30
while seen() is not None and time.monotonic() < until:
    time.sleep(0.05)
print("gone" if seen() is None else "still there")
"""


def test_what_refers_to_itself_is_collected_though_few_objects_were_made():
    done = subprocess.run(
        [sys.executable, "-c", LIFE], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "gone"
