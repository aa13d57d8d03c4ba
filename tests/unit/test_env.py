"""Every setting that cannot be right stops the start with a sentence that names it."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tradeswim import env

ROOT = Path(__file__).resolve().parents[2]
OURS = ("TRADESWIM_", "DATABASE_URL", "REDIS_URL", "CACHE_URL", "BROKER_", "PAPER_PORT", "PORT")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch, tmp_path) -> None:
    for name in os.environ:
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TRADESWIM_HOME", str(tmp_path))


def start(module: str = "base") -> dict[str, Any]:
    """Read a settings module anew, with what it is made of."""
    sys.modules.pop("tradeswim.settings.alerts", None)
    return runpy.run_path(str(ROOT / "tradeswim" / "settings" / f"{module}.py"))


def test_without_any_setting_the_product_starts():
    assert start()["ENVIRONMENT"] == "PAPER"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TRADESWIM_ENVIRONMENT", "paper", "is 'paper', but must be one of PAPER, LIVE"),
        ("TRADESWIM_ENVIRONMENT", "TEST", "must be one of PAPER, LIVE"),
        ("TRADESWIM_HOOK_IN", "yes", "must be one of 0, 1"),
        ("TRADESWIM_HOOK_WINDOW_S", "3600", "from 5 to 600"),
        ("TRADESWIM_WEBHOOKS_TO", "http://hooks.example.com", "must be reached by https"),
        ("TRADESWIM_WEBHOOKS_TO", "hooks.example.com", "neither an origin nor a network"),
        ("TRADESWIM_EMAIL_URL", "http://mail.example.com", "must begin with one of smtps://"),
        ("TRADESWIM_EMAIL_URL", "smtps://mail.example.com", "set TRADESWIM_ALERT_TO"),
        ("TRADESWIM_ALERT_TO", "agent@example.com", "set TRADESWIM_EMAIL_URL"),
        ("TRADESWIM_HOME", "~no-such-user/home", "is not a folder"),
        ("TRADESWIM_CONN_MAX_AGE", "-1", "must be a whole number from 0 to 3600"),
        ("TRADESWIM_CONN_MAX_AGE", "1.5", "must be a whole number"),
        ("TRADESWIM_CONN_MAX_AGE", "3601", "must be a whole number"),
        ("TRADESWIM_ADMIN_PATH", "the office", "is no path"),
        ("TRADESWIM_ADMIN_PATH", "../office", "is no path"),
        ("TRADESWIM_ADMIN_PATH", "(?P<x>.*)", "is no path"),
        ("TRADESWIM_ADMIN_PATH", "api/v1", "begins with api, which is taken"),
        ("PAPER_PORT", "0", "must be a whole number from 1 to 65534"),
        ("PAPER_PORT", "65535", "must be a whole number"),
        ("PAPER_PORT", "http", "must be a whole number"),
        ("PAPER_PORT", "\uff18\uff11", "must be a whole number"),
        ("PAPER_PORT", "9" * 5000, "must be a whole number"),
        ("DATABASE_URL", "mysql://a:SECRET@h/x", "must begin with sqlite:// or postgres://"),
        ("DATABASE_URL", "nonsense://a:SECRET@h/x", "is not the address of a database"),
        ("DATABASE_URL", "postgres", "is not the address of a database"),
        ("DATABASE_URL", "postgres://a:SECRET@h:port/x", "is not the address of a database"),
        ("DATABASE_URL", "postgres://a:SECRET#1@[h/x", "is not the address of a database"),
        ("REDIS_URL", "http://a:SECRET@h", "must begin with one of redis://, rediss://, unix://"),
        ("REDIS_URL", "127.0.0.1:6379", "must begin with one of"),
        ("REDIS_URL", "redis://:SECRET@h:port/0", "its host or port cannot be read"),
        ("REDIS_URL", "redis://:SECRET@h:70000/0", "its host or port cannot be read"),
        ("REDIS_URL", "redis://:SECRET@[h/0", "its host or port cannot be read"),
        ("REDIS_URL", "redis:///0", "names no host"),
        ("REDIS_URL", "unix://", "names no host"),
        ("CACHE_URL", "memcached://h", "must begin with one of redis://"),
        ("CACHE_URL", "redis://", "names no host"),
        ("TRADESWIM_BROKER_URL", "http://api.schwabapi.com", "must begin with one of https://"),
        ("TRADESWIM_BROKER_URL", "https://", "names no host"),
        ("TRADESWIM_BROKER_URL", "api.schwabapi.com", "must begin with one of https://"),
        ("TRADESWIM_SECOND_FACTOR", "yes", "must be one of required, optional"),
        ("TRADESWIM_RP_ID", "https://desk.example", "is not the name of a domain"),
        ("TRADESWIM_RP_ID", "desk.example:443", "is not the name of a domain"),
        ("TRADESWIM_RP_ID", "127.0.0.1", "browsers make no passkeys"),
    ],
)
def test_a_bad_setting_stops_the_start(monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)

    with pytest.raises(env.BadSetting) as caught:
        start()

    said = str(caught.value)
    assert said.startswith(name)
    assert words in said
    assert said.endswith(".")
    assert "SECRET" not in said


@pytest.mark.parametrize(
    ("name", "value", "setting", "kept"),
    [
        ("TRADESWIM_ENVIRONMENT", "LIVE", "BROKER_URL", "https://api.schwabapi.com"),
        ("TRADESWIM_ENVIRONMENT", " LIVE ", "ENVIRONMENT", "LIVE"),
        ("PAPER_PORT", "9000", "BROKER_URL", "https://127.0.0.1:9001"),
        ("TRADESWIM_BROKER_URL", "https://h:1/", "BROKER_URL", "https://h:1"),
        ("REDIS_URL", "rediss://:x@h:1/0", "REDIS_URL", "rediss://:x@h:1/0"),
        ("REDIS_URL", "unix:///run/redis.sock", "CACHE_URL", "unix:///run/redis.sock"),
        ("TRADESWIM_HOSTS", "a, ,b", "ALLOWED_HOSTS", ["a", "b"]),
        ("REDIS_URL", "", "REDIS_URL", "redis://127.0.0.1:6379/0"),
        ("TRADESWIM_SECOND_FACTOR", "", "SECOND_FACTOR", "optional"),
        ("TRADESWIM_SECOND_FACTOR", "required", "SECOND_FACTOR", "required"),
        ("TRADESWIM_RP_ID", "Desk.Example", "PASSKEY_DOMAIN", "desk.example"),
        ("TRADESWIM_RP_ID", "", "PASSKEY_DOMAIN", ""),
    ],
)
def test_a_good_setting_is_kept(monkeypatch, name, value, setting, kept):
    monkeypatch.setenv(name, value)

    assert start()[setting] == kept


@pytest.mark.parametrize("name", ["REDIS_URL", "CACHE_URL"])
def test_an_address_with_a_password_may_stand_in_a_file(monkeypatch, tmp_path, name):
    path = tmp_path / "address"
    path.write_text(" redis://:x@h:1/0\n")
    monkeypatch.setenv(f"{name}_FILE", str(path))

    assert start()[name] == "redis://:x@h:1/0"
    monkeypatch.setenv(name, "redis://other:2")
    assert start()[name] == "redis://other:2"


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "CACHE_URL"])
@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), ("\n", "is empty")])
def test_an_address_whose_file_is_of_no_use_stops_the_start(
    monkeypatch, tmp_path, name, content, words
):
    path = tmp_path / "address"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(f"{name}_FILE", str(path))

    with pytest.raises(env.BadSetting, match=f"{name}_FILE names .* which {words}"):
        start()


def test_live_trusts_no_certificate_of_ours(monkeypatch):
    monkeypatch.setenv("TRADESWIM_ENVIRONMENT", "LIVE")
    monkeypatch.setenv("BROKER_CA_FILE", "/ours.pem")

    assert start()["BROKER_CA_FILE"] is None


@pytest.mark.parametrize(("said", "rule"), [("", "required"), ("optional", "optional")])
def test_production_wants_a_second_factor_unless_told_otherwise(monkeypatch, said, rule):
    monkeypatch.setenv("TRADESWIM_SECRET_KEY", "x" * 50)
    monkeypatch.setenv("TRADESWIM_HOSTS", "desk.example")
    monkeypatch.setenv("TRADESWIM_SECOND_FACTOR", said)

    assert start("production")["SECOND_FACTOR"] == rule


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "TRADESWIM_SECRET_KEY is not set"),
        (
            {"TRADESWIM_SECRET_KEY_FILE": "/no/such/file"},
            "TRADESWIM_SECRET_KEY_FILE cannot be read",
        ),
        ({"TRADESWIM_SECRET_KEY": "short"}, "TRADESWIM_SECRET_KEY is shorter than 50"),
        ({"TRADESWIM_SECRET_KEY": "x" * 50}, "TRADESWIM_HOSTS is not set"),
        (
            {"TRADESWIM_SECRET_KEY": "x" * 50, "TRADESWIM_HOSTS": " , "},
            "TRADESWIM_HOSTS is not set",
        ),
    ],
)
def test_production_makes_nothing_up(monkeypatch, given, words):
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(env.BadSetting, match=words):
        start("production")


def test_production_has_an_administration_only_where_it_is_told(monkeypatch):
    monkeypatch.setenv("TRADESWIM_SECRET_KEY", "x" * 50)
    monkeypatch.setenv("TRADESWIM_HOSTS", "desk.example")
    assert start("production")["ADMIN_PATH"] == ""
    assert start("base")["ADMIN_PATH"] == "admin/"

    monkeypatch.setenv("TRADESWIM_ADMIN_PATH", "/keepers/office/")
    assert start("production")["ADMIN_PATH"] == "keepers/office/"

    monkeypatch.setenv("TRADESWIM_ADMIN_PATH", "admin")
    with pytest.raises(env.BadSetting, match="which everybody tries"):
        start("production")


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe"])
def test_a_secret_key_file_without_a_key_is_refused(monkeypatch, tmp_path, content):
    path = tmp_path / "secret"
    path.write_bytes(content)
    monkeypatch.setenv("TRADESWIM_SECRET_KEY_FILE", str(path))

    with pytest.raises(env.BadSetting, match="TRADESWIM_SECRET_KEY_FILE"):
        env.secret_key(may_create=True)


def test_a_home_that_cannot_be_written_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRADESWIM_HOME", str(tmp_path / "file" / "home"))

    with pytest.raises(env.BadSetting, match="TRADESWIM_SECRET_KEY_FILE cannot be read"):
        env.secret_key(may_create=True)


def test_the_demo_makes_its_secret_key_once_for_its_eyes_only(tmp_path):
    first = env.secret_key(may_create=True)

    assert len(first) >= 50
    assert env.secret_key(may_create=True) == first
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("value", ["yes", "true", "2", "-1"])
def test_a_switch_is_1_or_0(monkeypatch, value):
    monkeypatch.setenv("DEMO_TRADE", value)

    with pytest.raises(env.BadSetting, match=r"DEMO_TRADE is .* but must be one of 0, 1"):
        env.flag("DEMO_TRADE", default=True)


def test_a_setting_without_a_default_must_be_set():
    with pytest.raises(env.BadSetting, match="NO_SUCH_SETTING is not set"):
        env.text("NO_SUCH_SETTING")


def test_the_addresses_of_a_running_installation_are_found(monkeypatch, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "addresses.json").write_text(
        '{"REDIS_URL": "redis://h:1", "PAPER_PORT": 9}'
    )

    assert (start()["REDIS_URL"], start()["PAPER_PORT"]) == ("redis://h:1", 9)
    monkeypatch.setenv("REDIS_URL", "redis://other:2")
    assert start()["REDIS_URL"] == "redis://other:2"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"x"'])
def test_addresses_that_cannot_be_read_are_passed_over(tmp_path, content):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "addresses.json").write_text(content)

    assert start()["PAPER_PORT"] == 8182


def test_a_command_says_one_sentence_and_shows_no_traceback(monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tradeswim.settings.dev")
    monkeypatch.setenv("REDIS_URL", "http://:SECRET@h")

    ended = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, capture_output=True, text=True, timeout=30
    )

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == (
        "Cannot start: REDIS_URL must begin with one of redis://, rediss://, unix://.\n"
    )


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("smtps://us%40x:pa%2Fss@mail.example.com", ("mail.example.com", 465, True, False)),
        ("smtp://us%40x:pa%2Fss@mail.example.com", ("mail.example.com", 587, False, True)),
        ("smtp://us%40x:pa%2Fss@127.0.0.1:25", ("127.0.0.1", 25, False, False)),
    ],
)
def test_mail_goes_over_tls_but_on_this_machine(monkeypatch, address, found):
    monkeypatch.setenv("TRADESWIM_EMAIL_URL", address)

    server = env.mail_server("TRADESWIM_EMAIL_URL")

    assert server is not None
    assert (server.host, server.port, server.is_tls, server.starts_tls) == found
    assert (server.user, server.password) == ("us@x", "pa/ss")
    assert "pa/ss" not in repr(server)


def test_a_live_installation_tells_nobody_by_plain_http(monkeypatch):
    monkeypatch.setenv("TRADESWIM_WEBHOOKS_TO", "http://127.0.0.1:9000")
    assert start()["WEBHOOKS_TO"].origins == {("http", "127.0.0.1", 9000)}
    monkeypatch.setenv("TRADESWIM_ENVIRONMENT", "LIVE")

    with pytest.raises(env.BadSetting, match="must be reached by https"):
        start()
