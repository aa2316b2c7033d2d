"""The floors, kept by import-linter: who may import whom, and what stays out."""

from __future__ import annotations

import ast
import functools
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import pwless_middleware

PACKAGE = Path(pwless_middleware.__file__).parent
NAME = "pwless_middleware"
LAYERS = [
    f"{NAME}.cli | {NAME}.pytest_plugin",
    f"{NAME}.discovery",
    f"{NAME}.middleware",
    f"{NAME}.passwordless",
    f"{NAME}.own_features",
    f"{NAME}.features | {NAME}.kit",
    f"{NAME}.web",
    f"{NAME}.flows",
    f"{NAME}.stores | {NAME}.delivery | {NAME}.rendering",
    f"{NAME}.database",
    f"{NAME}.safe_http",
    f"{NAME}.core | {NAME}.languages | {NAME}.dialing | {NAME}.turns",
    f"{NAME}.errors | {NAME}.deadline",
    f"{NAME}.text | {NAME}.per_loop | {NAME}.tracebacks",
]
BELOW_WEB = [f"{NAME}.{floor}" for floor in ("flows", "stores", "delivery", "rendering", "core",
                                             "languages", "errors", "text")]  # fmt: skip
FEATURES = sorted(
    f"{NAME}.features.{path.stem}"
    for path in (PACKAGE / "features").iterdir()
    if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
)
CORE_IS_WITHOUT = [
    "aiosmtplib",
    "anyio",
    "asyncio",
    "http",
    "io",
    "jinja2",
    "logging",
    "os",
    "pathlib",
    "redis",
    "select",
    "selectors",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
]


def contract(name: str, kind: str, **lists: list[str] | str) -> str:
    """Write one contract as import-linter's configuration file has it."""
    lines = [f"[importlinter:contract:{name}]", f"name = {name}", f"type = {kind}"]
    for option, value in lists.items():
        one = isinstance(value, str)
        lines += [f"{option} = {value}"] if one else [f"{option} =", *(f"    {v}" for v in value)]
    return "\n".join(lines)


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    """Undo what import-linter's logging set-up does to the loggers of others: it silences them."""
    yield
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


CONTRACTS = {
    "floors": contract("floors", "layers", layers=LAYERS),
    "starlette": contract(
        "starlette",
        "forbidden",
        source_modules=BELOW_WEB,
        forbidden_modules=["starlette"],
        allow_indirect_imports="True",
    ),
    "core": contract(
        "core",
        "forbidden",
        source_modules=[f"{NAME}.core"],
        forbidden_modules=CORE_IS_WITHOUT,
        allow_indirect_imports="True",
    ),
    "flows": contract(
        "flows",
        "forbidden",
        source_modules=[f"{NAME}.flows"],
        forbidden_modules=[
            "redis",
            "aiosmtplib",
            f"{NAME}.stores.redis",
            f"{NAME}.stores.memory",
            f"{NAME}.delivery.smtp",
        ],
        allow_indirect_imports="True",
    ),
    "features": contract("features", "independence", modules=FEATURES),
}


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_floors_stand(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / ".importlinter"
    head = f"[importlinter]\nroot_package = {NAME}\ninclude_external_packages = True\n"
    head += "exclude_type_checking_imports = True\n"
    config.write_text(f"{head}\n{CONTRACTS[name]}\n")
    status = lint_imports(config_filename=str(config), cache_dir=str(tmp_path))
    said = capsys.readouterr().out
    assert status == 0, said
    assert "1 kept, 0 broken" in said


def test_a_broken_floor_is_seen(tmp_path: Path) -> None:
    """The linter runs at all: core does import errors."""
    config = tmp_path / ".importlinter"
    upside_down = contract("x", "layers", layers=[f"{NAME}.errors", f"{NAME}.core"])
    config.write_text(f"[importlinter]\nroot_package = {NAME}\n\n{upside_down}\n")
    assert lint_imports(config_filename=str(config), cache_dir=str(tmp_path)) == 1


def test_everything_at_the_top_has_a_floor() -> None:
    """A new package or module is put into `LAYERS`, or nothing is checked of it."""
    floors = {part.strip() for line in LAYERS for part in line.split("|")}
    for path in PACKAGE.iterdir():
        is_package = path.is_dir() and any(path.rglob("*.py"))
        if is_package or (path.suffix == ".py" and path.stem not in ("__init__", "__main__")):
            assert f"{NAME}.{path.stem}" in floors, path.name


def test_the_contracts_speak_of_modules_that_exist() -> None:
    for layer in (part.strip() for line in LAYERS for part in line.split("|")):
        path = PACKAGE / layer.removeprefix(NAME + ".").replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), layer
    assert f"{NAME}.features.email_login" in FEATURES
    assert len(FEATURES) >= 3


# --- what import-linter cannot see ---------------------------------------------------------------

CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}


def sources(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


@dataclass(frozen=True)
class Contents:
    """What a module has in it, of which there is a rule."""

    has_asserts: bool
    has_relative_imports: bool
    has_code: bool
    from_future: list[str]
    names: set[str]


@functools.cache  # one reading of each file for all rules; the trees would fill the memory
def contents(file: Path) -> Contents:
    tree = ast.parse(file.read_text())
    nodes = list(ast.walk(tree))
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return Contents(
        has_asserts=any(isinstance(node, ast.Assert) for node in nodes),
        has_relative_imports=any(isinstance(n, ast.ImportFrom) and n.level for n in imports),
        has_code=any(
            isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef) for node in tree.body
        ),
        from_future=[
            alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module == "__future__"
            for alias in node.names
        ],
        names={node.id for node in nodes if isinstance(node, ast.Name)}
        | {alias.name for node in imports for alias in node.names},
    )


def test_core_has_no_async_and_asks_no_clock() -> None:
    for file in sources("core"):
        for node in ast.walk(ast.parse(file.read_text())):
            # `Protocol`s may promise coroutines to the floors above; nothing here runs one.
            assert not isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith), file
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in CLOCKS, file
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("open", "print", "input"), file


def test_no_module_reads_the_environment() -> None:
    """The demo and the command line do; the library does not."""
    for file in sources("."):
        where = file.relative_to(PACKAGE).parts[0]
        if where in ("cli", "pytest_plugin", "__main__.py"):
            continue
        text = file.read_text()
        assert not re.search(r"\bos\.(environ|getenv)", text), file


def test_imports_are_absolute_and_annotations_are_lazy() -> None:
    for file in sources("."):
        found = contents(file)
        assert not found.has_relative_imports, file
        if found.has_code:
            assert found.from_future == ["annotations"], file


def test_what_reads_input_uses_no_assert() -> None:
    """`python -O` leaves them out."""
    for file in (*sources("core"), *sources("flows"), *sources("web"), *sources("features")):
        assert not contents(file).has_asserts, file


def test_nobody_uses_basehttpmiddleware_simplecookie_or_a_router() -> None:
    """Each of them has broken an app or let somebody in elsewhere."""
    for file in sources("."):
        names = contents(file).names
        assert not names & {"BaseHTTPMiddleware", "SimpleCookie", "Router", "URLSafeSerializer"}, (
            file
        )
