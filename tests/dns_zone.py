"""DNS for tests: the records of domains, without a network."""

from __future__ import annotations

from pwless_middleware.core.organizations.organization import Domain
from pwless_middleware.flows.organizations.domain_records import DomainRecord
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.flows.organizations.txt_records import DNSUnavailable, TXTRecords


class Zone:
    """DNS, as far as anybody here asks for it."""

    def __init__(self, floor: OrganizationFloor) -> None:
        self.records: dict[str, str] = {}
        self.is_down = False
        self.asked = 0
        floor.verification.look_up_by(self)

    async def __call__(self, name: str) -> TXTRecords:
        self.asked += 1
        if self.is_down:
            raise DNSUnavailable("Timeout")
        return TXTRecords((self.records[name],)) if name in self.records else TXTRecords()

    def add(self, domain: Domain) -> None:
        """Have the record of a claim be there."""
        record = DomainRecord.of(domain.name, domain.token)
        self.records[record.name] = record.value
