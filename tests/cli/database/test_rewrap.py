"""`pwless rewrap`: a key is rotated, and nothing that was encrypted under the old one is lost."""

from __future__ import annotations

from pwless_middleware import EmailLogin
from tests.cli.conftest import PLAIN, Project
from tests.cli.vault import FILE, Vault
from tests.support import KEY, OTHER_KEY, make_site


def rewrap(project: Project, *keys: str) -> tuple[int, str, str]:
    """Run the command on an app that has these keys."""
    name = "app_" + "_".join(key[:4] for key in keys)
    options = f"secret_key={list(keys)!r}, base_url='http://localhost:8000', mailer=Outbox()"
    wrapped = f"app = PasswordlessMiddleware(app, {options}, features=[EmailLogin(), Vault()])\n"
    imports = "from pwless_middleware import *\nfrom tests.cli.vault import Vault\n"
    project.write(name, PLAIN + imports + wrapped)
    return project.run("rewrap", "--app", f"{name}:app")


def serve(*keys: str) -> Vault:
    """Return the feature as a process of the app has it that has these keys."""
    vault = Vault()
    make_site(secret_key=keys, features=[EmailLogin(), vault], base_url="http://localhost:8000")
    return vault


def test_what_is_under_the_old_key_is_read_with_the_new_one_alone(project: Project) -> None:
    for who in ("jo", "kim"):
        serve(KEY).put(who, f"seed of {who}")
    assert rewrap(project, OTHER_KEY, KEY) == (0, "Vault: all is under the newest key\n", "")
    serve(KEY, OTHER_KEY).put("lee", "seed of lee")
    assert rewrap(project, KEY, OTHER_KEY) == (0, "Vault: 2 encrypted anew\n", "")
    assert rewrap(project, KEY, OTHER_KEY)[1] == "Vault: all is under the newest key\n"
    new = serve(OTHER_KEY)
    assert [new.read(who) for who in ("jo", "kim", "lee")] == [
        "seed of jo",
        "seed of kim",
        "seed of lee",
    ]
    assert "seed of" not in FILE.read_text()


def test_without_it_what_is_under_the_old_key_is_lost(project: Project) -> None:
    serve(KEY).put("jo", "seed of jo")
    assert serve(OTHER_KEY).read("jo") is None


def test_an_app_that_keeps_none_is_told_so(project: Project) -> None:
    project.wrapped("base_url='http://localhost:8000', mailer=Outbox()")
    done = project.run("rewrap", "--app", "site_app:app")
    assert done == (0, "no feature keeps anything that is encrypted\n", "")


def test_an_installation_has_to_be_named(project: Project) -> None:
    code, out, err = project.run("rewrap")
    assert (code, out) == (2, "")
    assert "--app" in err
