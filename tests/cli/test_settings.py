"""What `run` reads, and what it takes for granted on this machine alone."""

from __future__ import annotations

from pathlib import Path

import pytest

import demo_app.settings
from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.run import build
from pwless_middleware.cli.settings import Listening, Settings, complete
from pwless_middleware.errors import ConfigError
from tests.cli.conftest import KEY

PUBLIC = {
    "PWLESS_APP": "site:app",
    "PWLESS_BASE_URL": "https://app.acme.example",
    "PWLESS_SECRET_KEY": KEY,
    "PWLESS_SMTP_URL": "smtp://us:secret-pw@mail.acme.example:587",
    "PWLESS_SENDER": "login@acme.example",
    "PWLESS_ALLOW": "*@acme.example",
}


def test_reads_everything() -> None:
    settings = Settings.read(
        {
            **PUBLIC,
            "PWLESS_SECRET_KEY": f"{KEY}\n{KEY[::-1]}\n",
            "PWLESS_ALLOW": "*@acme.example, jo@partner.example,",
            "PWLESS_PUBLIC": "/,/static/*",
            "PWLESS_REDIS_URL": "redis://:redis-pw@localhost/0",
            "PWLESS_DATABASE_URL": "sqlite:///pwless.db",
            "PWLESS_IDENTITY_HEADER": "Remote-User",
            "PWLESS_SET_SCOPE_USER": "no",
            "PWLESS_PREFIX": "/enter",
            "PWLESS_BRAND_NAME": "Acme",
            "PWLESS_TRUSTED_PROXIES": "10.0.0.0/8,192.168.0.0/16",
            "PWLESS_FACTORY": "1",
            "PWLESS_WSGI": "True",
            "PWLESS_BEARER": "yes",
            "PWLESS_COOKIE_NAME": "tool",
            "PWLESS_REQUIRE_SOCKET_ORIGIN": "1",
            "PWLESS_UNSAFE_HTTP": "0",
        }
    )
    assert settings.secret_key == (KEY, KEY[::-1])
    assert settings.allow == ("*@acme.example", "jo@partner.example")
    assert settings.public == ("/", "/static/*")
    assert (settings.identity_header, settings.set_scope_user) == ("Remote-User", False)
    assert settings.database_url == "sqlite:///pwless.db"
    assert (settings.prefix, settings.brand_name) == ("/enter", "Acme")
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.168.0.0/16")
    assert (settings.factory, settings.wsgi) == (True, True)
    assert (settings.bearer, settings.cookie_name) == (True, "tool")
    assert (settings.require_socket_origin, settings.unsafe_http) == (True, False)


def test_takes_defaults() -> None:
    settings = Settings.read(PUBLIC)
    assert (settings.prefix, settings.public, settings.trusted_proxies) == ("/auth", (), 0)
    assert (settings.factory, settings.wsgi, settings.set_scope_user) == (False, False, True)
    assert settings.redis_url is None
    assert (settings.bearer, settings.cookie_name) == (False, None)
    assert (settings.require_socket_origin, settings.unsafe_http) == (False, False)
    assert Settings.read({**PUBLIC, "PWLESS_TRUSTED_PROXIES": "2"}).trusted_proxies == 2


def test_shows_no_secret() -> None:
    shown = repr(Settings.read({**PUBLIC, "PWLESS_REDIS_URL": "redis://:redis-pw@localhost"}))
    assert not any(secret in shown for secret in (KEY, "secret-pw", "redis-pw"))


@pytest.mark.parametrize(
    ("variable", "option", "said"),
    [
        ("APP", "app", "PWLESS_APP"),
        ("BASE_URL", "base_url", "--base-url or PWLESS_BASE_URL"),
        ("SECRET_KEY", "secret_key", "PWLESS_SECRET_KEY or --secret-key-file"),
        ("SMTP_URL", "mailer", "--smtp-url"),
        ("SENDER", "sender", "--sender"),
        ("ALLOW", "allow", "who may sign in"),
    ],
)
def test_a_public_address_needs_each_of_these(variable: str, option: str, said: str) -> None:
    environ = {**PUBLIC, f"PWLESS_{variable}": "  "}
    complete(environ, key_file=None) if variable != "BASE_URL" else None
    with pytest.raises(ConfigError) as error:
        Settings.read(environ)
    assert error.value.option == option
    assert said in str(error.value)


def test_http_on_another_machine_needs_a_word_and_all_that_a_public_address_needs() -> None:
    elsewhere = {**PUBLIC, "PWLESS_BASE_URL": "http://tool.home.arpa:8000/x"}
    for read in (Settings.read, Listening.read, lambda given: complete(given, key_file=None)):
        with pytest.raises(ConfigError, match="unsafe_http"):
            read(dict(elsewhere))
    allowed = {**elsewhere, "PWLESS_UNSAFE_HTTP": "1"}
    assert complete(dict(allowed), key_file=None) == []
    assert Listening.read(allowed).root_path == "/x"
    assert build(Settings.read(allowed)).origin.url == "http://tool.home.arpa:8000/x"
    for variable in ("SECRET_KEY", "SMTP_URL", "ALLOW"):
        lacking = {**allowed, f"PWLESS_{variable}": ""}
        complete(lacking, key_file=None)
        with pytest.raises(ConfigError):
            Settings.read(lacking)


def test_a_switch_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="PWLESS_WSGI: set 1 or 0"):
        Settings.read({**PUBLIC, "PWLESS_WSGI": "perhaps"})


@pytest.mark.parametrize("value", ["0", "x", "-1", "70000", "１２", "1.5"])
def test_a_port_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="--port: set a whole number from 1 to 65535"):
        Listening.read({"PWLESS_PORT": value})


def test_listens_on_this_machine_alone() -> None:
    assert Listening.read({}) == Listening(host="127.0.0.1", port=8000, workers=1, root_path="")


def test_the_root_path_is_the_base_urls_unless_told() -> None:
    environ = {"PWLESS_BASE_URL": "https://app.acme.example/tool"}
    assert Listening.read(environ).root_path == "/tool"
    assert Listening.read({**environ, "PWLESS_ROOT_PATH": ""}).root_path == ""
    assert Listening.read({**environ, "PWLESS_ROOT_PATH": "/tool/"}).root_path == "/tool"


def test_a_root_path_that_people_do_not_see_is_refused() -> None:
    environ = {"PWLESS_BASE_URL": "https://app.acme.example/tool"}
    with pytest.raises(ConfigError, match=r"^root_path: set /tool, the path of the base URL"):
        Listening.read({**environ, "PWLESS_ROOT_PATH": "/other"})
    with pytest.raises(ConfigError, match=r"^root_path: set none"):
        Listening.read({"PWLESS_ROOT_PATH": "/other"})


@pytest.mark.parametrize("between", [",", ", ", " ", "\n", ",\n"])
def test_keys_have_commas_or_whitespace_between_them(between: str) -> None:
    """The same in the demo and the guide's production recipe."""
    keys = f"{KEY}{between}{KEY[::-1]}\n"
    environ = {**PUBLIC, "PWLESS_SECRET_KEY": keys}
    assert Settings.read(environ).secret_key == (KEY, KEY[::-1])
    assert demo_app.settings.Settings.read(environ | {"PWLESS_SMTP_URL": ""}).secret_key == (
        KEY,
        KEY[::-1],
    )


class TestDevelopment:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    def test_needs_nothing_and_says_what_it_made(self) -> None:
        environ = {"PWLESS_APP": "site:app", "PWLESS_PORT": "8123"}
        said = complete(environ, key_file=None)
        settings = Settings.read(environ)
        assert settings.origin.url == "http://localhost:8123"
        assert settings.allow is None
        assert len(settings.secret_key[0]) >= 43
        assert settings.secret_key[0] not in "".join(said)
        assert settings.database_url == "sqlite:///pwless.db"
        assert any("logins are kept here, in pwless.db" in line for line in said)
        assert any("it is kept in pwless.key" in line for line in said)
        assert any("emails stay on this machine" in line for line in said)

    def test_says_nothing_where_everything_is_set(self) -> None:
        environ = {
            **PUBLIC,
            "PWLESS_BASE_URL": "http://localhost:8000",
            "PWLESS_DATABASE_URL": "sqlite:///mine.db",
        }
        assert complete(environ, key_file=None) == []
        assert environ["PWLESS_DATABASE_URL"] == "sqlite:///mine.db"

    def test_a_public_address_is_never_given_a_key(self) -> None:
        environ = {**PUBLIC, "PWLESS_SECRET_KEY": ""}
        assert complete(environ, key_file=None) == []
        assert environ["PWLESS_SECRET_KEY"] == ""
        assert "PWLESS_DATABASE_URL" not in environ

    def test_an_open_port_is_no_development(self) -> None:
        environ = {"PWLESS_APP": "site:app", "PWLESS_HOST": "0.0.0.0"}
        assert complete(environ, key_file=None) == []
        with pytest.raises(ConfigError, match="base_url"):
            Settings.read(environ)


class TestKeyFile:
    def test_holds_keys_one_a_line(self, tmp_path: Path) -> None:
        path = tmp_path / "keys"
        path.write_text(f"{KEY}\n{KEY[::-1]}\n")
        environ = {**PUBLIC, "PWLESS_SECRET_KEY": ""}
        complete(environ, key_file=str(path))
        assert Settings.read(environ).secret_key == (KEY, KEY[::-1])

    def test_that_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="--secret-key-file: "):
            complete({}, key_file=str(tmp_path / "nowhere"))
        (tmp_path / "binary").write_bytes(b"\xff\xfe")
        with pytest.raises(UsageError, match="cannot be read"):
            complete({}, key_file=str(tmp_path / "binary"))
