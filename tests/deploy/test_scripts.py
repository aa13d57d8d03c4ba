"""The scripts of deploy/: sh understands them, and they lay what the units ask for."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.proxy import render
from tests.deploy.units import ROOT, UNITS, all_units, unit

DEPLOY = ROOT / "deploy"
SCRIPTS = [
    "install.sh",
    "upgrade.sh",
    "host.sh",
    "lib.sh",
    "tradeswim",
    "nginx/render",
    "certbot/reload-nginx",
]
HOST = (DEPLOY / "host.sh").read_text()


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code that uses what install.sh and upgrade.sh share."""
    script = f'set -eu\nROOT={ROOT}\n. "$ROOT/deploy/lib.sh"\n{code}'
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SCRIPTS)
def test_sh_understands_it(name):
    done = subprocess.run(
        ["sh", "-n", str(DEPLOY / name)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in {"host.sh", "lib.sh"}])
def test_it_can_be_started(name):
    assert (DEPLOY / name).stat().st_mode & 0o111


def test_it_makes_every_secret_that_a_unit_is_handed():
    """systemd starts no unit one of whose credentials is missing."""
    made = set(re.findall(r"^\tsecret ([a-z-]+) ", HOST, re.MULTILINE)) | {"keys.json"}

    for one in all_units().values():
        assert set(one.credentials()) <= made
        folders = {source.rpartition("/")[0] for source in one.credentials().values()}
        assert folders == {"/etc/tradeswim/secrets"}


def test_it_lays_the_release_where_the_units_look_for_it():
    said = run('echo "$CURRENT" "$HOME_DIR" "$SECRETS"').stdout.split()

    assert said == ["/opt/tradeswim/current", "/var/lib/tradeswim", "/etc/tradeswim/secrets"]
    for name in all_units():
        assert unit(name).command[0].startswith(f"{said[0]}/")
        assert unit(name).one("WorkingDirectory") == said[0]
        assert f"/var/lib/{unit(name).one('StateDirectory')}" == said[1]


def test_the_redis_instances_it_makes_are_those_the_units_wait_for():
    after = unit("tradeswim-web").words("After")
    waited = {name for name in after if name.startswith("redis-server@")}
    made = {f"redis-server@tradeswim-{name}.service" for name in ("queue", "cache")}

    assert waited == made
    assert set(re.findall(r"redis_instance (\w+) <<", HOST)) == {"queue", "cache"}
    assert made <= set((UNITS / "tradeswim.target").read_text().replace("=", " ").split())


def test_the_papers_name_units_that_there_are():
    there = {name.removesuffix(".service") for name in all_units()}
    there |= {f"redis-server@tradeswim-{name}" for name in ("queue", "cache")} | {
        "tradeswim.target"
    }
    for paper in (ROOT / "docs").glob("*.md"):
        code = " ".join(re.findall(r"`([^`]+)`", paper.read_text()))
        named = re.findall(r"systemctl \w+ ([\w@.-]+)|(redis-server@[\w-]+)", code)
        assert {one for pair in named for one in pair if one} <= there, paper.name


def test_settings_are_read_as_systemd_reads_them(tmp_path):
    file = tmp_path / "tradeswim.env"
    file.write_text("# a comment\nA_NAME=a value with $signs and 'quotes'\n\nB=\nnot a setting\n")
    said = run(f'SETTINGS={tmp_path}\nread_settings\nprintf "%s|%s" "$A_NAME" "$B"')

    assert (said.stdout, said.stderr) == ("a value with $signs and 'quotes'|", "")


def make_settings(folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Make the settings as install.sh does, in a folder, with what is given to it."""
    code = (
        f'. "$ROOT/deploy/host.sh"\nSETTINGS={folder} SITE={folder}/site.conf\n'
        "go_on_as_it_is\nHOST=${HOST:-$(kept TRADESWIM_HOSTS)}\nmake_settings\n"
        'echo "$HTTPS $HTTP"'
    )
    return run("".join(f"export {name}={value}\n" for name, value in given.items()) + code)


def lay_site(folder: Path, *, ports: str) -> None:
    https, http = ports.split()
    files = {"CERTIFICATE": "/a.pem", "CERTIFICATE_KEY": "/a.key"}
    site = render(HOST="desk.example", HTTPS=https, HTTP=http, IPV6="yes", **files)
    (folder / "site.conf").write_text(site)


def test_a_second_run_keeps_live_and_the_ports(tmp_path):
    given = {"HOST": "desk.example", "TRADESWIM_ENVIRONMENT": "LIVE"}
    first = make_settings(tmp_path, **given, HTTPS="8443", HTTP="8080", PORT="8001")
    lay_site(tmp_path, ports=first.stdout)
    settings = (tmp_path / "tradeswim.env").read_text()
    again = make_settings(tmp_path)

    assert (again.stdout, again.stderr) == ("8443 8080\n", "")
    assert (tmp_path / "tradeswim.env").read_text() == settings
    lines = settings.splitlines()
    assert {"TRADESWIM_ENVIRONMENT=LIVE", "PORT=8001"} <= set(lines)
    assert "TRADESWIM_WEB_URL=https://desk.example:8443" in lines


def test_a_second_run_keeps_an_address_changed_by_hand_until_another_port_is_given(tmp_path):
    given = {"HOST": "desk.example", "TRADESWIM_ENVIRONMENT": "PAPER"}
    lay_site(tmp_path, ports=make_settings(tmp_path, **given).stdout)
    file = tmp_path / "tradeswim.env"
    file.write_text(file.read_text().replace("https://desk.example", "https://outside.example"))

    make_settings(tmp_path)
    assert "TRADESWIM_WEB_URL=https://outside.example\n" in file.read_text()
    make_settings(tmp_path, HTTPS="8443")
    assert "TRADESWIM_WEB_URL=https://desk.example:8443\n" in file.read_text()


@pytest.mark.parametrize(("before", "given"), [("LIVE", "PAPER"), ("PAPER", "LIVE")])
def test_an_installation_never_becomes_another_one(tmp_path, before, given):
    make_settings(tmp_path, HOST="desk.example", TRADESWIM_ENVIRONMENT=before)
    settings = (tmp_path / "tradeswim.env").read_text()
    done = make_settings(tmp_path, TRADESWIM_ENVIRONMENT=given)

    assert done.returncode == 1
    assert f"this installation is {before} for ever" in done.stderr
    assert (tmp_path / "tradeswim.env").read_text() == settings


def test_without_its_variables_and_a_terminal_it_asks_nothing_and_does_nothing():
    done = subprocess.run(
        ["sh", str(DEPLOY / "install.sh")],
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "ANY_SYSTEM": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 1
    assert re.search("HOST is not set|must be run by root", done.stderr)
    assert done.stdout == ""
