"""Codes by text message, put together: what the second factors mount of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pwless_middleware.features.second_factors.own_factors import OwnFactors
from pwless_middleware.features.second_factors.sms.callbacks import StatusCallbacks, StatusUrls
from pwless_middleware.features.second_factors.sms.codes import TextCodes
from pwless_middleware.features.second_factors.sms.countries import Country, list_countries
from pwless_middleware.features.second_factors.sms.enrollment import SMSEnrollments
from pwless_middleware.features.second_factors.sms.limits import TextLimits
from pwless_middleware.features.second_factors.sms.numbers import Numbers
from pwless_middleware.features.second_factors.sms.options import SMSOptions
from pwless_middleware.features.second_factors.sms.sending import TextSending
from pwless_middleware.features.second_factors.sms.step import SMSStep
from pwless_middleware.features.second_factors.sms.texts import TOPIC, CodeTexts
from pwless_middleware.flows.capabilities.topics import ReadJob
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository


class SMSCodes:
    """Send codes by text message, and take them.

    Args:
        kit: everything below.
        factors: keeps the confirmed numbers.
        own: what a person does with their own factors.
        options: who sends, to which countries, how many.

    Attributes:
        sender: hands text messages to a gateway.
        step: how a code is a second factor.
        enrollments: add phone numbers.
        routes: where a gateway reports how a text message ended.
        jobs: topic to who reads its jobs.
    """

    def __init__(
        self, kit: Kit, factors: FactorRepository, own: OwnFactors, options: SMSOptions
    ) -> None:
        self._kit = kit
        self._countries = options.countries
        self.sender = options.sender
        numbers, realm = Numbers(options.countries), kit.keyring.realm
        limits = TextLimits(options.limits, kit.secrets, realm=realm)
        records = kit.records("sms_codes")
        codes = TextCodes(records, kit.keyring.derive("sms_codes"), kit.clock)
        urls = StatusUrls(kit.secrets, f"{kit.origin.url}{kit.prefix}", kit.clock)
        sending = TextSending(kit, numbers, limits, codes, records, lambda: self.is_failing)
        self.step = SMSStep(kit, factors, numbers, codes, records, sending)
        self.enrollments = SMSEnrollments(kit, own, numbers, codes, records, sending)
        self.routes: tuple[Route, ...] = StatusCallbacks(kit, options.sender, urls).routes
        texts = CodeTexts(kit, codes, factors, options.sender, urls)
        self.jobs: dict[str, ReadJob] = {TOPIC: texts.read}

    @property
    def is_failing(self) -> bool:
        """Whether text messages do not go out; they wait in the queue, as long as they are good."""
        return self._kit.is_text_delivery_failing()

    @property
    def first_country(self) -> str:
        """The country that is chosen where nobody has: the first one that the host names."""
        return self._countries[0]

    @property
    def countries(self) -> Sequence[Country]:
        """The countries to choose from, by their names in the language that is being written."""
        return list_countries(self._countries)
