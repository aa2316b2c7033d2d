"""From `module:app` to the app."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from pwless_middleware.cli.importing import AppFailed, UsageError, load
from pwless_middleware.core.options.callables import is_wsgi
from pwless_middleware.errors import ConfigError
from tests.cli.conftest import Project


def test_takes_a_module_of_the_current_directory(project: Project) -> None:
    project.write("one", "async def app(scope, receive, send): ...\n")
    assert callable(load("one:app", factory=False))
    assert callable(load("one:app", factory=False))  # the path is there already


def test_takes_an_attribute_of_an_attribute(project: Project) -> None:
    project.write("one", "class Site:\n    async def app(scope, receive, send): ...\nsite = Site\n")
    assert callable(load("one:site.app", factory=False))


@pytest.mark.parametrize("target", ["one:make()", "one:make"])
def test_calls_a_factory(target: str, project: Project) -> None:
    project.write("one", "made = lambda s, r, t: None\ndef make(): return made\n")
    app = load(target, factory=not target.endswith(")"))
    assert app is load("one:made", factory=False)


def test_leaves_a_factory_alone_where_it_is_only_looked_at(project: Project) -> None:
    project.write("one", "def make(): raise SystemExit('called')\n")
    load("one:make", factory=True, call=False)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("one", "write module:app"),
        ("one:", "write module:app"),
        ("../one:app", "write module:app"),
        ("nowhere:app", "there is no module 'nowhere', seen from "),
        ("one.deep:app", "there is no module 'one.deep'"),
        ("one:nope", "'one' has no 'nope'"),
        ("one:app.nope", "'one' has no 'app.nope'"),
        ("one:number", "one:number is no app: it cannot be called"),
        ("one:make", "takes no arguments, so it seems to make the app: add --factory"),
    ],
)
def test_a_mistake_is_told_in_one_line(target: str, said: str, project: Project) -> None:
    project.write("one", "number = 7\ndef make(): ...\nasync def app(s, r, t): ...\n")
    with pytest.raises(UsageError) as told:
        load(target, factory=False)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_what_is_not_there_is_told_with_what_is(project: Project) -> None:
    project.write(
        "one",
        "import functools\n"
        "class Site:\n    async def __call__(self, scope, receive, send): ...\n"
        "site, _hidden = Site(), Site()\n"
        "async def app(scope, receive, send): ...\n"
        "def create_app(): ...\n"
        "def wsgi(environ, start_response): ...\n"
        "def helper(x): ...\n",
    )
    with pytest.raises(
        UsageError, match=r"'one' has no 'nope'; it has site, app, create_app\(\), wsgi$"
    ):
        load("one:nope", factory=False)
    with pytest.raises(UsageError, match=r"no module 'onee', seen from .*; did you mean one\?$"):
        load("onee:app", factory=False)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("import not_installed_here\n", "No module named 'not_installed_here'"),
        ("raise ModuleNotFoundError('odd')\n", "ModuleNotFoundError: odd"),
        ("this is no python\n", "SyntaxError"),
    ],
)
def test_an_app_that_fails_shows_its_own_traceback(text: str, last: str, project: Project) -> None:
    project.write("one", text)
    code, out, err = project.run("check", "one:app")
    assert (code, out) == (2, "")
    assert last in err
    assert "one.py" in err
    assert "importing.py" not in err
    assert "importlib" not in err
    assert err.splitlines()[-1].startswith("pwless: one:app cannot be imported: ")


def test_a_factory_that_fails_shows_its_own_traceback(project: Project) -> None:
    project.write("one", "def make():\n    return {}['key']\n")
    with pytest.raises(AppFailed, match="one:make cannot be imported: KeyError"):
        load("one:make", factory=True)


@pytest.mark.parametrize("target", ["one:app", "two:make()"])
def test_a_bad_option_of_ours_stays_a_config_error(target: str, project: Project) -> None:
    bad = "from pwless_middleware import *\nOutbox(max_messages=0)\n"
    project.write("one", bad)
    project.write("two", "def make():\n    import one\n")
    with pytest.raises(ConfigError, match="max_messages"):
        load(target, factory=False)


class TestLooksLikeWSGI:
    def test_two_arguments_do(self) -> None:
        class Flaskish:
            def __call__(self, environ: object, start_response: object) -> None: ...

        assert is_wsgi(Flaskish())
        assert is_wsgi(lambda environ, start_response: None)

    def test_asgi_does_not(self) -> None:
        async def app(scope: object, receive: object, send: object) -> None: ...

        class App:
            async def __call__(self, scope: object, receive: object, send: object) -> None: ...

        assert not is_wsgi(app)
        assert not is_wsgi(App())
        assert not is_wsgi(functools.partial(app))

    def test_what_cannot_be_known_does_not(self) -> None:
        assert not is_wsgi(lambda *args: None)
        assert not is_wsgi(type)
        assert not is_wsgi(Path)
