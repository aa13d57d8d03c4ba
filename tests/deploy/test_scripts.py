"""The scripts of deploy/: sh understands them, and they lay what the units ask for."""

import re
import subprocess

import pytest

from tests.deploy.units import ROOT, UNITS, all_units, unit

DEPLOY = ROOT / "deploy"
SCRIPTS = [
    "install.sh",
    "upgrade.sh",
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


def test_settings_are_read_as_systemd_reads_them(tmp_path):
    file = tmp_path / "tradeswim.env"
    file.write_text("# a comment\nA_NAME=a value with $signs and 'quotes'\n\nB=\nnot a setting\n")
    said = run(f'SETTINGS={tmp_path}\nread_settings\nprintf "%s|%s" "$A_NAME" "$B"')

    assert (said.stdout, said.stderr) == ("a value with $signs and 'quotes'|", "")


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
