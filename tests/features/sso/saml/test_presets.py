"""Every provider that is offered by SAML is one that a connection can be set to, with its steps."""

from __future__ import annotations

import pytest

from pwless_middleware.features.sso.oidc import presets as oidc
from pwless_middleware.features.sso.saml.presets import PRESETS, Preset
from pwless_middleware.features.sso.saml.settings import read_saml_settings
from tests.identity_providers.saml import SAMLProvider


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_connection_can_be_set_to_it(preset: Preset) -> None:
    config = {**SAMLProvider().config(), "preset": preset.id}
    assert read_saml_settings(config).preset == preset.id


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_its_steps_are_sentences_that_name_both_addresses(preset: Preset) -> None:
    assert all(step.endswith(".") for step in (*preset.steps, *preset.role_steps))
    said = " ".join(preset.steps)
    assert ("ACS URL" in said and "entity ID" in said) or "metadata URL" in said
    assert preset.role_steps


def test_no_provider_is_meant_by_a_word_of_the_other_protocol() -> None:
    assert not PRESETS.keys() & oidc.PRESETS.keys()
