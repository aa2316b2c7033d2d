"""Every block of code in the README and the guide is good: in its language, and with our names.

Those in Python run and are checked for types by `tests/test_readme.py`; the curl lines run there.
"""

from __future__ import annotations

import ast
import configparser
import inspect
import itertools
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

import pwless_middleware
from pwless_middleware import kit
from pwless_middleware.cli.main import parser
from tests.guide import ROOT
from tests.guide_checks.reading import Block, blocks, inline_code
from tests.needs import need_command

CHECKED_BY = {
    "bash": "here: bash, and the commands",
    "diff": "here: lines that begin with a sign",
    "dockerfile": "tests/guide_checks/test_deployment.py",
    "html": "here: Jinja",
    "http": "here: a request",
    "ini": "here, units of systemd in tests/guide_checks/test_deployment.py",
    "js": "here: node",
    "json": "here",
    "jinja": "here: Jinja",
    "nginx": "here: directives",
    "py": "here: the names; what they do in tests of their own",
    "python": "tests/test_readme.py",
    "sh": "here: bash, and the commands",
    "sql": "here: SQLite",
    "text": "nothing: what a program prints, or a picture of letters",
    "toml": "here",
    "yaml": "here, Kubernetes in tests/guide_checks/test_deployment.py",
}
COMMANDS = parser()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_every_language_is_checked() -> None:
    assert {block.language for block in blocks() if block.language} <= set(CHECKED_BY)


# --- languages -----------------------------------------------------------------------------------


def test_json_toml_yaml_and_ini_can_be_read() -> None:
    for block in blocks("json", "toml", "yaml", "ini"):
        try:
            if block.language == "json":
                json.loads(block.text)
            elif block.language == "toml":
                tomllib.loads(block.text)
            elif block.language == "yaml":
                assert list(yaml.safe_load_all(block.text))
            else:
                made = configparser.ConfigParser(strict=False, interpolation=None)
                made.optionxform = str  # type: ignore[assignment, method-assign]
                made.read_string(block.text)
        except Exception as error:
            raise AssertionError(f"{block}: {error}") from error


def test_shell_can_be_read() -> None:
    need_command("bash")
    for block in blocks("sh", "bash"):
        done = subprocess.run(
            ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), block


def test_javascript_can_be_read(tmp_path: Path) -> None:
    need_command("node")
    for number, block in enumerate(blocks("js")):
        file = tmp_path / f"{number}.mjs"
        file.write_text(block.text)
        done = subprocess.run(
            ["node", "--check", str(file)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block}: {done.stderr}"


def test_html_can_be_read() -> None:
    from jinja2 import Environment

    for block in blocks("html", "jinja"):
        Environment(autoescape=True).parse(block.text)


def test_a_diff_has_a_sign_in_front_of_each_line() -> None:
    for block in blocks("diff"):
        assert all(line[:1] in " +-@" for line in block.text.splitlines()), block


def test_sql_can_be_read() -> None:
    import sqlite3

    for block in blocks("sql"):
        assert sqlite3.complete_statement(block.text), block


def test_a_request_has_a_first_line_and_headers() -> None:
    for block in blocks("http"):
        head, *_ = block.text.partition("\n\n")
        first, *headers = head.splitlines()
        assert re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) /\S*( HTTP/1\.1)?", first), block
        assert all(re.fullmatch(r"[\w-]+: .+", header) for header in headers), block


NGINX_VARIABLES = {
    "host", "http_upgrade", "proxy_add_x_forwarded_for", "request_uri", "scheme"
}  # fmt: skip
"""Its own, which no `map` has to make."""


def test_nginx_has_directives_in_braces() -> None:
    for block in blocks("nginx"):
        assert block.text.count("{") == block.text.count("}"), block
        for line in block.text.splitlines():
            told = line.partition("#")[0].strip()
            assert not told or told[-1] in "{};", f"{block}: {line}"
        used = set(re.findall(r"\$(\w+)", block.text))
        mapped = set(re.findall(r"map \$\w+ \$(\w+) ", block.text))
        assert used - mapped <= NGINX_VARIABLES, block
        assert block.text.count("ssl;") == block.text.count("ssl_certificate_key "), block


# --- Python that is shown ------------------------------------------------------------------------


def test_python_that_is_shown_has_names_and_options_that_exist() -> None:
    wrong = []
    for block in blocks("py", "python"):
        tree = ast.parse(block.text)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "pwless_middleware":
                names = {alias.name for alias in node.names}
                wrong += [f"{block}: {name}" for name in names - set(pwless_middleware.__all__)]
            elif isinstance(node, ast.ImportFrom) and node.module == "pwless_middleware.kit":
                wrong += [f"{block}: {a.name}" for a in node.names if a.name not in kit.__all__]
            elif isinstance(node, ast.Call):
                wrong += [f"{block}: {what}" for what in bad_options(node)]
    assert wrong == []


def bad_options(call: ast.Call) -> Iterator[str]:
    """Return the keyword arguments of a call of ours that it does not take."""
    name = ast.unparse(call.func)
    given = [word.arg for word in call.keywords if word.arg]
    if name.endswith("add_middleware") and call.args:
        name = ast.unparse(call.args[0])
    if name == "PasswordlessMiddleware":
        taken = {"app", "passwordless", *parameters("Passwordless")}
    elif name in pwless_middleware.__all__:
        taken = parameters(name)
    elif name.endswith(("passwordless.send", "passwordless.verify")):
        taken = parameters("Passwordless", name.rpartition(".")[2])
    else:
        return
    for word in given:
        if word not in taken and "**" not in taken:
            yield f"{name}({word}=)"


def parameters(name: str, method: str = "") -> set[str]:
    """Return what a public class or function takes by name."""
    thing: Any = getattr(pwless_middleware, name)
    found = inspect.signature(getattr(thing, method) if method else thing).parameters
    has_any = any(each.kind is each.VAR_KEYWORD for each in found.values())
    return {*found, *(("**",) if has_any else ())}


def test_an_option_in_a_sentence_exists() -> None:
    """`EmailLogin(allow=…)`, `request.state.user` and `Session.methods`."""
    wrong = []
    for code, pages in inline_code().items():
        shown = re.sub(r"…|\.\.\.", "...", code)
        shown = re.sub(r"=(?=[,)])", "=...", shown)
        shown = re.sub(r"\b(\w+)=\.\.\.,? ?\.\.\.", r"\1=...", shown)
        try:
            tree = ast.parse(re.sub(r"(?<![\w.=(\[, ])\.\.\.", "", shown), mode="eval")
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                wrong += [f"{sorted(pages)}: `{code}`" for _ in bad_options(node)]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                thing = getattr(pwless_middleware, node.value.id, None)
                if node.value.id in pwless_middleware.__all__ and not has(thing, node.attr):
                    wrong.append(f"{sorted(pages)}: `{code}`")
    assert wrong == []


def has(thing: Any, name: str) -> bool:
    """Whether a class has an attribute, of its own or of each that is made of it."""
    if hasattr(thing, name) or name in getattr(thing, "__annotations__", {}):
        return True
    return re.search(rf"self\.{name}\b", inspect.getsource(thing)) is not None


# --- commands ------------------------------------------------------------------------------------

PLACEHOLDERS = {
    "ADDRESS": "jo@example.com",
    "VERSION": "1",
    "WHO": "jo@example.com",
}


def commands(text: str) -> Iterator[list[str]]:
    """Return each command of a shell script, as words."""
    text = text.replace("\\\n", " ")
    for line in text.splitlines():
        if not re.search(r"\b(pwless|python3?|pip|uvicorn|fastapi)\b", line):
            continue
        try:
            lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
            lexer.commenters = "#"
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:
            continue  # a quote that ends in another line
        command: list[str] = []
        for word in words:
            if re.fullmatch(r"[();<>|&]+", word):
                yield command
                command = []
            else:
                command.append(word)
        yield command


@cache
def shown_commands() -> list[tuple[str, list[str]]]:
    """Return every command of the guide, within and between sentences, with where it stands."""
    found = [(str(b), c) for b in blocks("sh", "bash") for c in commands(b.text) if c]
    for code, pages in inline_code().items():
        if re.match(r"(pwless|python3? -m|pip install|\.venv/bin/\w+) ", code):
            try:
                found.append((f"{sorted(pages)}", shlex.split(code)))
            except ValueError:
                raise AssertionError(f"{sorted(pages)}: `{code}`") from None
    return found


def test_a_command_of_pwless_is_one_and_takes_its_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = []
    seen = 0
    for where, command in shown_commands():
        words = [word.rpartition("/")[2] if at == 0 else word for at, word in enumerate(command)]
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words[:3] in (
            ["python", "-m", "pwless_middleware"],
            ["python3", "-m", "pwless_middleware"],
        ):
            words = ["pwless", *words[3:]]
        if words[:1] != ["pwless"] or len(words) == 1:
            continue
        seen += 1
        problem = command_problem(words[1:])
        capsys.readouterr()
        if problem:
            wrong.append(f"{where}: {shlex.join(command)}: {problem}")
    assert wrong == []
    assert seen > 30


def command_problem(words: list[str]) -> str | None:
    """Return what the parser says against a command; `None` if it is well, or the start of one."""
    current = COMMANDS
    place = 0
    while True:
        choices: Any = next(
            (a.choices for a in current._actions if a.choices and a.nargs == "A..."), None
        )
        if choices is None or place == len(words) or words[place].startswith("-"):
            break
        name = words[place].split("|")[0]
        if name in ("COMMAND", "…"):
            return None
        if name not in choices:
            return f"{name} is no command"
        current, place = choices[name], place + 1
    taken = {option for action in current._actions for option in action.option_strings}
    for word in words[place:]:
        option = word.split("=")[0]
        if option.startswith("--") and option not in taken:
            return f"{option} is no option of {current.prog}"
    return None


def test_an_option_in_a_sentence_is_one_of_a_command() -> None:
    ours = set(
        re.findall(r'"(--[a-z][\w-]*)"', sources("pwless_middleware/cli", "demo_app", "tests"))
    )
    ours |= {"--help", "--version"}
    of_others = {"--forwarded-allow-ips", "--no-access-log", "--url-path-prefix", "--worker-class"}
    for code, pages in inline_code().items():
        if not re.match(r"-|pwless|python|[a-z-]+ ", code) or re.match(
            r"uvicorn|hypercorn|gran", code
        ):
            continue  # another program's
        for option in re.findall(r"(?<!\S)--[a-z][\w-]*", code):
            assert option in ours | of_others, f"{sorted(pages)}: `{code}`"


def sources(*folders: str) -> str:
    """Return all Python of some folders."""
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    return "\n".join(file.read_text("utf-8") for file in files)


def test_a_module_that_is_run_exists() -> None:
    known = {"venv", "pip", "pytest", "http.server", "build"}
    for where, command in shown_commands():
        for flag, module in itertools.pairwise(command):
            is_python = re.search(r"python3?$", command[0])
            if flag == "-m" and is_python and module not in known:
                assert find_spec(module) is not None, f"{where}: {module}"
                assert module.split(".")[0] in ("pwless_middleware", "demo_app", "tests"), where


def test_an_extra_that_is_installed_exists() -> None:
    seen = set()
    for where, command in shown_commands():
        if "install" not in command:
            continue
        for word in command:
            found = re.match(r"(?:pwless-middleware|\.)\[([a-z,]+)\]", word)
            if found:
                extras = set(found[1].split(","))
                assert extras <= set(PROJECT["optional-dependencies"]), f"{where}: {word}"
                seen |= extras
    assert {"run", "dev"} <= seen


def test_a_block_says_where_it_stands() -> None:
    assert str(Block(Path("a/b.md"), 3, "sh", "")) == "b.md:3"
    assert shutil.which("bash") is None or list(commands("a; pwless b # c")) == [
        ["a"],
        ["pwless", "b"],
    ]
