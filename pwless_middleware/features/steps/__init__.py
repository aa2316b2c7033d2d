"""The JSON resource of steps: what a pending login, or a fresh proof, asks for, and the answer."""

from __future__ import annotations

from collections.abc import Sequence

from pwless_middleware.features.steps.actions import StepActions
from pwless_middleware.features.steps.api import StepApi
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.parts.steps import StepMethod
from pwless_middleware.web.routing.routes import Route


class Steps:
    """Mount the resource, which offers what the mounted features offer (`Mounted.steps`)."""

    def mount(self, kit: Kit) -> Mounted:
        """Return its routes, all of them; `choose_routes` says which of them there is a use for."""
        api, actions = StepApi(kit), StepActions(kit)
        return Mounted(routes=(api.route, actions.send, actions.enroll))


def choose_routes(routes: Sequence[Route], methods: Sequence[StepMethod]) -> tuple[Route, ...]:
    """Return those of the resource's routes by which some method can be used.

    Args:
        routes: as `Steps` mounts them.
        methods: of all features.
    """
    uses = (
        bool(methods),
        any(method.send is not None for method in methods),
        any(method.enroll is not None for method in methods),
    )
    return tuple(route for route, is_used in zip(routes, uses, strict=True) if is_used)
