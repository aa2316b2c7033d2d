"""Which options were given, and which are defaults."""

from __future__ import annotations

import copy
import pickle

from pwless_middleware import Brand, EmailLogin, SendLimits, SessionPolicy, TryLimits
from pwless_middleware.core.options.given_options import given_options


def test_what_was_given_is_known_whatever_its_value() -> None:
    assert given_options(EmailLogin()) == frozenset()
    assert given_options(EmailLogin(lifetime=300, kind="OTP")) == {"lifetime", "kind"}
    assert given_options(SendLimits(per_minute=2)) == {"per_minute"}
    assert given_options(TryLimits()) == frozenset()
    assert given_options(SessionPolicy(idle=3600)) == {"idle"}
    assert given_options(Brand("Acme")) == {"name"}
    assert given_options(SessionPolicy.strict()) == {"idle", "absolute"}


def test_a_record_is_equal_and_copied_whatever_was_given() -> None:
    default = SessionPolicy()
    same = SessionPolicy(idle=default.idle)
    assert (same, hash(same), repr(same)) == (default, hash(default), repr(default))
    for made in (copy.copy(same), pickle.loads(pickle.dumps(same))):
        assert given_options(made) == {"idle"}
