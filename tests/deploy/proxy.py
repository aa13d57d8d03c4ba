"""The real nginx with the real site, on ports of its own."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from tests.deploy.units import ROOT
from tradeswim.up.home import free_port
from tradeswim.up.probes import listens

HOST = "localhost"
# Debian's own nginx.conf, without what needs its folders.
MAIN = """
{user}
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types;
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate as `install.sh` does for a trial."""
    certificate, key = folder / "site.pem", folder / "site.key"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        f"-subj /CN={HOST} -addext subjectAltName=DNS:{HOST} -keyout {key} -out {certificate}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return certificate, key


def render(**settings: str) -> str:
    """Fill in the site."""
    done = subprocess.run(
        [str(ROOT / "deploy" / "nginx" / "render")],
        env={"PATH": os.environ["PATH"], **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Proxy:
    """nginx before a port of ours.

    Args:
        upstream: the port of the web server.
        static: the folder of the collected files.
    """

    def __init__(self, folder: Path, *, upstream: int, static: Path, sign_ins: int = 20) -> None:
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "nginx is not installed: apt-get install nginx"
        self.folder = folder
        self.port, self.http_port = free_port(), free_port()
        self.url = f"https://{HOST}:{self.port}"
        self.certificate, key = make_certificate(folder)
        self.acme = folder / "acme"
        self.acme.mkdir()
        site = render(
            HOST=HOST,
            CERTIFICATE=str(self.certificate),
            CERTIFICATE_KEY=str(key),
            HTTPS=f"127.0.0.1:{self.port}",
            HTTP=f"127.0.0.1:{self.http_port}",
            PORT=str(upstream),
            SIGN_INS=str(sign_ins),
            STATIC=str(static),
            ACME=str(self.acme),
            LOGS=str(folder),
        )
        (folder / "site.conf").write_text(site)
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
        command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        assert "[warn]" not in tested.stderr, tested.stderr
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not listens(self.port):
            assert time.monotonic() < until, self.log("error")
            time.sleep(0.05)

    def log(self, name: str) -> str:
        """Return a log; `tradeswim-access` and `tradeswim-error` are the site's."""
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
