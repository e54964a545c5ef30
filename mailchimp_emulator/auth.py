"""Who may call: API keys and OAuth tokens in every form in which Mailchimp takes them.

Public source: https://mailchimp.com/developer/marketing/docs/fundamentals/#authenticate-with-an-api-key
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from mailchimp_emulator.account import Account
from mailchimp_emulator.problems import forbidden, key_conflict, key_invalid, key_missing, wrong_datacenter


def credential(authorization: str) -> str:
    """The key or token in an Authorization header: Basic any:key, Bearer, OAuth or apikey."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() in ("bearer", "oauth", "apikey"):
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]


def authenticate(account: Account, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
    """Refuse a call without a valid key or token."""
    authorization, in_query = headers.get("Authorization", ""), query.get("apikey", "")
    sent = credential(authorization)
    if in_query and authorization and sent != in_query:
        raise key_conflict()
    sent = sent or in_query
    if not sent:
        raise key_invalid() if authorization else key_missing()
    if sent not in account.api_keys and sent not in account.oauth_tokens:
        _refuse(account, sent)


def _refuse(account: Account, sent: str) -> None:
    secret, _, _ = sent.partition("-")
    for key in account.api_keys:
        own, _, datacenter = key.partition("-")
        # The right key at another data center's host is told where it belongs.
        if own == secret and "-" in sent:
            raise wrong_datacenter(datacenter)
    raise key_invalid()


def authorize(account: Account, method: str, path: str) -> None:
    """Refuse what the role, or the test, forbids."""
    if account.forbids(method, path):
        raise forbidden()
