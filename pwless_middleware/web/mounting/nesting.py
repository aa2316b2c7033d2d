"""Two instances of the product, one inside the other: what the inner one knows of the outer one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from starlette.types import Scope

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.gates.step_up_gate import StepUpGate
from pwless_middleware.web.requests.cookie_names import CookieNames

PASSED = "pwless"
"""Our key in the app's scope: a `Passed`."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What is known of an instance by those inside: by other ones, and by the app's handlers.

    Two of them must not share the first two. It stands in the app's scope, which the app may copy
    deeply or hand to another process: a deep copy is the same instance, and one that was pickled
    has no gate, so that handlers there refuse.

    Attributes:
        prefix: where its pages are.
        cookie_names: of its cookies.
        step_up: the gate in front of handlers that need a fresh proof.
    """

    prefix: str
    cookie_names: CookieNames = field(repr=False)
    step_up: StepUpGate | None = field(default=None, repr=False, compare=False)

    def __deepcopy__(self, memo: object) -> Instance:
        return self

    def __reduce__(self) -> tuple[type[Instance], tuple[str, CookieNames]]:
        return Instance, (self.prefix, self.cookie_names)

    def check_beside(self, other: Instance) -> None:
        """Refuse to be nested with an instance that answers the same paths or cookies.

        Raises:
            ConfigError: the other one has this one's prefix or cookie name.
        """
        ours, theirs = self.prefix + "/", other.prefix + "/"
        for option, is_same in (
            ("prefix", ours.startswith(theirs) or theirs.startswith(ours)),
            ("cookie_name", not set(self.cookie_names.all).isdisjoint(other.cookie_names.all)),
        ):
            if is_same:
                raise ConfigError(
                    option,
                    "two middlewares of ours, one inside the other, have the same: take one of "
                    "them out, or give each a prefix and a cookie_name of its own",
                )


@dataclass(frozen=True, slots=True)
class Passed:
    """The instances that a request has passed.

    Attributes:
        instances: outermost first.
        cookies: cookies of other instances, which they have taken out; one further in reads them.
    """

    instances: tuple[Instance, ...]
    cookies: bytes = field(default=b"", repr=False)

    def with_cookies(self, cookies: Sequence[bytes]) -> Passed:
        """Return the same with the cookies of other instances that a request brought."""
        return Passed(self.instances, b"; ".join(cookies))

    def enter(self, scope: Scope, instance: Instance) -> tuple[Scope, Passed]:
        """Return the scope with the cookies that the instances outside have taken out, and all.

        Args:
            scope: as it came to the inner instance.
            instance: the inner one.

        Raises:
            ConfigError: it answers the same paths or cookies as one outside.
        """
        for outer in self.instances:
            outer.check_beside(instance)
        if self.cookies:
            scope = {**scope, "headers": [*scope["headers"], (b"cookie", self.cookies)]}
        return scope, Passed((*self.instances, instance))
