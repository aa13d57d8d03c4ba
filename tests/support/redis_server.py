"""A private Redis-compatible server for tests."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import kombu
import redis

from tradeswim.up.home import free_port, redis_binary, write_redis_config


class RedisServer:
    """Runs the same server, started the same way, as `manage.py up` does."""

    def __init__(self, folder: Path) -> None:
        (folder / "run").mkdir()
        self.port = free_port()
        self._data = folder / "run" / "redis"
        self._config = write_redis_config(folder, port=self.port, password="test")
        self.url = f"redis://:test@127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url)
        self.start()

    def start(self) -> None:
        """Start it; what is on its disk is there again."""
        self._process = subprocess.Popen(
            [redis_binary(), str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    def kill(self, *, lose_everything: bool = False) -> None:
        """End it as a crash does; perhaps with what was on its disk."""
        self._process.kill()
        self._process.wait(timeout=5)
        if lose_everything:
            shutil.rmtree(self._data)
            self._data.mkdir()

    def pause(self) -> None:
        """Make it silent: it takes connections and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again, what came in meanwhile included."""
        self._process.send_signal(signal.SIGCONT)

    def messages(self, queue: str) -> int:
        """Return how many messages wait in a queue."""
        return int(self.client.llen(queue))

    def stop(self) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait(timeout=5)

    def _wait(self) -> None:
        until = time.monotonic() + 5
        while True:
            try:
                self.client.ping()
            except redis.RedisError:
                assert time.monotonic() < until, "the Redis server does not start"
                time.sleep(0.02)
            else:
                return


def point_celery_to(address: str) -> None:
    """Let Celery publish to this address from now on, over connections of its own."""
    from tradeswim.celery import app

    kombu.pools.reset()
    app.close()  # forgets its pool, which is bound to the old address
    app.__dict__.pop("amqp", None)  # and so does the pool of producers in here
    app.conf["broker_url"] = address
