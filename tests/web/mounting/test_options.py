"""The options as type checkers see them, and as `Passwordless` takes them: the same."""

from __future__ import annotations

import inspect

from pwless_middleware import Passwordless
from pwless_middleware.web.mounting.options import Options


def test_type_checkers_know_every_option_and_no_other() -> None:
    taken = set(inspect.signature(Passwordless).parameters)
    assert set(Options.__annotations__) == taken
