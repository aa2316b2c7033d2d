"""SAML 2.0: requests, metadata of both sides, and the verification of answers.

    request = make_request(settings, service_provider, now=now, relay_state=state)
    …the browser goes to request.url, and comes back with the form's field SAMLResponse…
    assertion = verify_response(
        decode_response(field), settings, service_provider, request_id=request.id, now=now
    )
    person = read_person(settings, assertion)

Nothing here knows of routes, stores or sessions: what is taken once, the caller takes.
"""

from __future__ import annotations
