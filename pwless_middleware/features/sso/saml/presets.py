"""Providers that many companies have: what to do there, to sign in by SAML.

The steps are for the IT department of a customer, who has the provider's own pages open beside
ours; in quotes stands what is written there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A provider, as far as it is the same for all its customers.

    Attributes:
        id: as `SAMLSettings.preset` has it.
        name: for people.
        steps: what is to be done at the provider, in order.
        role_steps: what is to be done besides, for groups that give roles.
    """

    id: str
    name: str
    steps: tuple[str, ...]
    role_steps: tuple[str, ...] = ()


PRESETS: Final[Mapping[str, Preset]] = {
    one.id: one
    for one in (
        Preset(
            id="entra_saml",
            name=Text("Microsoft Entra ID, by SAML 2.0"),
            steps=(
                Text(
                    "Open the Microsoft Entra admin center, go to “Enterprise applications”, "
                    "choose “New application”, “Create your own application”, and the one "
                    "that is not in the gallery."
                ),
                Text("At “Single sign-on”, choose “SAML”."),
                Text(
                    "In “Basic SAML Configuration”, enter the entity ID below as “Identifier”, and "
                    "the ACS URL as “Reply URL”."
                ),
                Text(
                    "In “Attributes & Claims”, let the “Unique User Identifier” be user.objectid, "
                    "which never changes, with the name identifier format “Persistent”. The claim "
                    "“emailaddress” has to hold the email address."
                ),
                Text(
                    "In “SAML Certificates”, copy the “App Federation Metadata Url”, and enter it "
                    "here."
                ),
                Text("At “Users and groups”, choose the people who may sign in."),
            ),
            role_steps=(
                Text(
                    "In “Attributes & Claims”, choose “Add a group claim”, and “Groups assigned to "
                    "the application”. Entra names them by their object IDs."
                ),
            ),
        ),
        Preset(
            id="okta_saml",
            name=Text("Okta, by SAML 2.0"),
            steps=(
                Text(
                    "Open the Okta admin console, go to “Applications”, choose “Create App "
                    "Integration”, and “SAML 2.0”."
                ),
                Text(
                    "Enter the ACS URL below as “Single sign-on URL”, and the entity ID as "
                    "“Audience URI (SP Entity ID)”."
                ),
                Text("Let the “Name ID format” be “Persistent”."),
                Text(
                    "Add the attribute statements email (user.email), firstName (user.firstName) "
                    "and lastName (user.lastName)."
                ),
                Text("At “Assignments”, choose the people who may sign in."),
                Text("At “Sign On”, copy the “Metadata URL”, and enter it here."),
            ),
            role_steps=(
                Text(
                    "Add a group attribute statement named groups, with a filter that lets through "
                    "the groups that matter here."
                ),
            ),
        ),
        Preset(
            id="google_saml",
            name=Text("Google Workspace, by SAML 2.0"),
            steps=(
                Text(
                    "Open the Google Admin console, go to “Apps”, “Web and mobile apps”, and "
                    "choose “Add app”, “Add custom SAML app”."
                ),
                Text("Choose “Download metadata”, and paste what is in the file here."),
                Text("Enter the ACS URL and the entity ID below. Leave “Signed response” off."),
                Text(
                    "Map “Primary email” to the attribute email, “First name” to firstName, and "
                    "“Last name” to lastName."
                ),
                Text("At “User access”, turn the app on for the people who may sign in."),
            ),
            role_steps=(
                Text("At “Group membership”, choose the groups, and name the attribute groups."),
            ),
        ),
        Preset(
            id="adfs",
            name=Text("Active Directory Federation Services (AD FS)"),
            steps=(
                Text(
                    "Open AD FS Management, and choose “Add Relying Party Trust”, “Claims aware”. "
                    "Import the data from the metadata URL below."
                ),
                Text(
                    "Choose “Edit Claim Issuance Policy”, and add the rule “Send LDAP Attributes "
                    "as Claims”: “E-Mail-Addresses” as “E-Mail Address”, and “Display-Name” as "
                    "“Common Name”."
                ),
                Text(
                    "Send a “Name ID” that never changes, such as the objectGUID, by a rule of its "
                    "own."
                ),
                Text("In “Properties”, “Advanced”, the secure hash algorithm has to be SHA-256."),
                Text(
                    "Enter the address of your metadata here: your server’s name, followed by "
                    "/FederationMetadata/2007-06/FederationMetadata.xml. If the server is not on "
                    "the internet, paste what is there."
                ),
            ),
            role_steps=(
                Text(
                    "Add the rule “Send Group Membership as a Claim” for each group, with the "
                    "claim type “Group”."
                ),
            ),
        ),
        Preset(
            id="saml",
            name=Text("Another provider, by SAML 2.0"),
            steps=(
                Text("At your provider, create an application for SAML 2.0."),
                Text(
                    "Enter the ACS URL and the entity ID below. A provider that reads metadata "
                    "finds both at the metadata URL."
                ),
                Text(
                    "Let it name people (NameID) by something that never changes, and send the "
                    "email address as the attribute email."
                ),
                Text("Let it sign the assertion with SHA-256, and not encrypt it."),
                Text("Choose the people who may sign in."),
                Text(
                    "Copy the address of its metadata, or download them as a file, and enter them "
                    "here."
                ),
            ),
            role_steps=(Text("Let it send the person’s groups as the attribute groups."),),
        ),
    )
}
"""By id, in the order in which they are offered."""
