"""Organizations: the CPU of where a domain signs in and what a login must come up to; what an
ordinary request costs in one; and how soon a toggle is in force elsewhere.

People and organizations are in a SQLite file, with the sessions. Two instances share the file and
nothing else, as two processes do: what the one has changed the other hears by the store's feed.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable

from pwless_middleware import (
    Database,
    EmailLogin,
    Organizations,
    Passkeys,
    PasswordlessMiddleware,
    SQLStore,
)
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.organizations.policy import MFA, Policy
from pwless_middleware.core.organizations.policy_decision import decide
from pwless_middleware.features.second_factors import SecondFactors
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from tests.benchmarks.apps.ours import wrap
from tests.benchmarks.asgi import scope
from tests.benchmarks.figures import Options, Samples, Table
from tests.benchmarks.per_request import cpu_of
from tests.benchmarks.targets import Place, Target

_TIMES = 500
_TOGGLES = 20
_WHO, _ALONE = Address("jo@acme.example"), Address("kim@other.example")
_CODE = Authentication("email_code", 1, ("mailbox",))
Work = Callable[[], Awaitable[object]]


def make_target(place: Place) -> Target:
    """Return an instance on the file that all of them share."""
    database = Database(f"sqlite:///{place.folder}/organizations.db")
    features = [EmailLogin(), Passkeys(), SecondFactors(), Organizations()]
    return wrap(SQLStore(database), place, database=database, features=features)


def floor_of(target: Target) -> OrganizationFloor:
    """Return what finds and changes the organizations of an instance."""
    assert isinstance(target.app, PasswordlessMiddleware)
    return target.app.passwordless._kit.organizations()


async def measure(options: Options) -> list[Table]:
    """Measure decisions, requests and toggles."""
    target, other = make_target(options.place), make_target(options.place)
    floor = floor_of(target)
    acme = await floor.organizations.create("Acme")
    await floor.domains.claim(acme.id, "acme.example")
    await floor.domains.mark_verified(acme.id, "acme.example")
    bank = await floor.organizations.create("Bank", policy=Policy(idle=3600, trusted_days=0))
    outside = await target.sign_in(_ALONE)
    assert isinstance(target.app, PasswordlessMiddleware)
    person = await target.app.passwordless.people.find(_ALONE)
    assert person is not None
    await floor.members.put(bank.id, person.id)
    inside = await target.sign_in(_ALONE)
    found: dict[str, Samples] = {name: Samples() for name in _works(target, person.id)}
    requests = {"outside": Samples(), "in an organization": Samples()}
    toggles = Samples()
    gc.collect()
    for number in range(-1, options.rounds):
        options.say(f"organizations, round {number + 1} of {options.rounds}")
        for name, work in _works(target, person.id).items():
            cost = await _cpu(work)
            if number >= 0:
                found[name].add(cost)
        for name, cookie in (("outside", outside), ("in an organization", inside)):
            cost = await cpu_of(target, [scope(cookie=cookie) for _ in range(_TIMES)])
            if number >= 0:
                requests[name].add(cost)
        if number >= 0:
            toggles.add(await _toggle(floor, floor_of(other), acme.id))
    for one in (target, other):
        await one.aclose()
    return [_decisions(found), _requests(requests), _told(toggles)]


def _works(target: Target, user_id: str) -> dict[str, Work]:
    assert isinstance(target.app, PasswordlessMiddleware)
    kit, floor = target.app.passwordless._kit, floor_of(target)
    login = Login(
        user_id=user_id, email=_WHO, is_new=False, authentications=(_CODE,), caller="browser"
    )

    async def home_realm() -> object:
        return await floor.directory.owner_of("acme.example")

    async def policy() -> object:
        return await kit.policies.of(login)

    async def decision() -> object:
        return decide(await kit.policies.of(login), (_CODE,), email=_WHO, has=("totp",))

    async def both() -> object:
        return await home_realm(), await policy()

    async def unheld() -> object:
        repositories = kit.repositories
        assert repositories is not None
        domain = await repositories.domains.owner_of("acme.example")
        assert domain is not None
        return await repositories.organizations.find(domain.organization)

    return {
        "home realm": home_realm,
        "policy, of the owner and the one that is entered": policy,
        "home realm and policy": both,
        "policy and decision": decision,
        "home realm, from the file": unheld,
    }


async def _cpu(work: Work) -> float:
    """Return the CPU microseconds of one of so many."""
    await work()
    await asyncio.sleep(0.05)
    started = time.process_time()
    for _ in range(_TIMES):
        await work()
    return (time.process_time() - started) / _TIMES * 1e6


async def _toggle(here: OrganizationFloor, there: OrganizationFloor, id: str) -> float:
    """Return the worst milliseconds until a toggle here was in force there."""
    worst = 0.0
    for _ in range(_TOGGLES):
        organization = await here.organizations.require(id)
        mfa: MFA | None = None if organization.policy.mfa else "required"
        await here.organizations.set_policy(id, Policy(mfa=mfa), seen=organization.version)
        began = time.monotonic()
        while True:
            found = await there.directory.find(id)
            assert found is not None
            if found.policy.mfa == mfa:
                break
            await asyncio.sleep(0.0005)
        worst = max(worst, (time.monotonic() - began) * 1e3)
        await asyncio.sleep(0.01)
    return worst


def _decisions(found: dict[str, Samples]) -> Table:
    table = Table(
        "Organizations, CPU in process",
        ("what is asked", "CPU µs", "goal"),
        "Median (quartiles) over the rounds; what is held is held, but for the last row.",
    )
    for name, samples in found.items():
        table.add(name, samples.told(), "≤ 15" if name == "home realm and policy" else "")
    return table


def _requests(found: dict[str, Samples]) -> Table:
    table = Table("An ordinary request, signed in", ("", "CPU µs", "× outside"))
    for name, samples in found.items():
        table.add(name, samples.told(), samples.times(found["outside"]).told(2))
    return table


def _told(toggles: Samples) -> Table:
    table = Table(
        "A toggle in force in another instance",
        ("", "ms", "goal"),
        f"The worst of {_TOGGLES} in each round; median (quartiles) over the rounds.",
    )
    table.add("SQLite", toggles.told(), "≤ 100")
    return table
