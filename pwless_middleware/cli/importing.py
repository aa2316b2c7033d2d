"""Import the app that `module:app` names; errors say what there is instead."""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType

from pwless_middleware.core.options.callables import is_wsgi, required_arguments
from pwless_middleware.errors import ConfigError, PwlessError

_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?")


class UsageError(PwlessError):
    """The command was called in a way that cannot work; the message is one line for a person."""


class AppFailed(PwlessError):
    """The app's own code raised while it was imported or made; its traceback is what helps."""

    def __init__(self, target: str, cause: Exception) -> None:
        super().__init__(f"{target} cannot be imported: {type(cause).__name__}")
        self.cause = cause

    def show(self) -> None:
        """Print the app's traceback, beginning with the app's own frames."""
        tb = self.cause.__traceback__
        while tb is not None and _is_machinery(tb):
            tb = tb.tb_next
        traceback.print_exception(type(self.cause), self.cause, tb)


def _is_machinery(tb: TracebackType) -> bool:
    name = tb.tb_frame.f_code.co_filename
    return name == __file__ or "importlib" in name


def load(target: str, *, factory: bool, call: bool = True) -> object:
    """Import what `module:attribute` names, from the current directory first.

    Args:
        target: `module:app`; `module:make()` is `module:make` with `factory`.
        factory: the attribute is a function that makes the app.
        call: whether to call a factory; false gives the function itself.

    Raises:
        UsageError: it is not written so, or there is no such module or attribute.
        AppFailed: the app's own code raised.
        ConfigError: as the app's own code raised it: an option of ours is wrong.
    """
    if not _TARGET.fullmatch(target):
        raise UsageError(f"{target!r}: write module:app, e.g. main:app")
    module_name, _, path = target.partition(":")
    factory = factory or path.endswith("()")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    found = _attribute(module_name, path.removesuffix("()"), target)
    if not callable(found):
        raise UsageError(f"{target} is no app: it cannot be called")
    if not factory and required_arguments(found) == 0:
        raise UsageError(f"{target} takes no arguments, so it seems to make the app: add --factory")
    if not factory or not call:
        return found
    try:
        made: object = found()
    except ConfigError:
        raise
    except Exception as error:
        raise AppFailed(target, error) from error
    return made


def _attribute(module_name: str, path: str, target: str) -> object:
    try:
        module = importlib.import_module(module_name)
    except ConfigError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise AppFailed(target, error) from error
        raise UsageError(_no_module(error.name)) from None
    except Exception as error:
        raise AppFailed(target, error) from error
    found: object = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise UsageError(f"{module_name!r} has no {path!r}{_apps_of(module)}") from None
    return found


def _no_module(name: str) -> str:
    here = [path.stem for path in Path().iterdir() if path.suffix == ".py" or path.is_dir()]
    likely = difflib.get_close_matches(name, here, n=1)
    hint = f"; did you mean {likely[0]}?" if likely else ""
    return f"there is no module {name!r}, seen from {os.getcwd()}{hint}"


def _apps_of(module: ModuleType) -> str:
    """Return what in a module looks like an app, or like a function of its own that makes one."""
    apps = []
    for name, value in vars(module).items():
        if name.startswith("_") or inspect.isclass(value):
            continue
        if required_arguments(value) == 3 or is_wsgi(value):
            apps.append(name)
        elif inspect.isfunction(value) and "app" in name and required_arguments(value) == 0:
            apps.append(f"{name}()")
    return f"; it has {', '.join(apps)}" if apps else ""
