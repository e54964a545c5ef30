"""OAuth 2 at the origin: authorize, token, metadata.

Public source: https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/
"""

from __future__ import annotations

from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mailchimp_emulator.auth import credential
from mailchimp_emulator.calls import Call
from mailchimp_emulator.problems import not_found
from mailchimp_emulator.replies import Reply
from mailchimp_emulator.state import Code
from mailchimp_emulator.vendor import OAUTH_CODE_SECONDS


def authorize(call: Call) -> Reply:
    """The person agrees at once, or refuses (a flag): back to `redirect_uri` with a code or an error, and the caller's state."""
    query = call.query
    if query.get("response_type") != "code" or not query.get("client_id") or not query.get("redirect_uri"):
        return _refusal("invalid_request", "response_type=code, client_id and redirect_uri are required")
    answer = {"state": query["state"]} if "state" in query else {}
    if call.behavior.oauth_consent == "deny":
        answer["error"] = "access_denied"
    else:
        answer["code"] = token_hex(16)
        call.state.codes[answer["code"]] = Code(query["client_id"], query["redirect_uri"], call.state.clock.now())
    joint = "&" if "?" in query["redirect_uri"] else "?"
    return Reply(302, headers={"Location": f"{query['redirect_uri']}{joint}{urlencode(answer)}"})


def token(call: Call) -> Reply:
    """A single-use code becomes a token that never expires."""
    form = dict(parse_qsl(call.raw.decode(errors="replace")))
    if form.get("grant_type") != "authorization_code":
        return _refusal("unsupported_grant_type", "The grant type is unsupported")
    code = call.state.codes.pop(form.get("code", ""), None)
    if code is None or call.state.clock.now() - code.issued_at > OAUTH_CODE_SECONDS:
        return _refusal("invalid_grant", "The code was invalid, expired or already used")
    secret = call.account.apps.get(code.client_id, form.get("client_secret"))
    if not secret or form.get("client_secret") != secret or form.get("client_id") != code.client_id:
        return _refusal("invalid_client", "The client credentials were invalid")
    if form.get("redirect_uri") != code.redirect_uri:
        return _refusal("redirect_uri_mismatch", "The redirect URI does not match")
    made = token_hex(16)
    call.account.oauth_tokens.add(made)
    return _json({"access_token": made, "expires_in": 0, "scope": None})


def _refusal(error: str, description: str) -> Reply:
    return _json({"error": error, "error_description": description}, status=400)


def _json(document: dict[str, Any], status: int = 200) -> Reply:
    # Unlike the API, the login host names no character set.
    reply = Reply.of(document, status)
    reply.content_type = "application/json"
    return reply


def metadata(call: Call) -> Reply:
    """Where the account lives. A bad token is answered 200 with an error and no api_endpoint."""
    account, kind = call.account, call.behavior.oauth_metadata
    if kind == "gone":
        raise not_found()
    if credential(call.headers.get("Authorization", "")) not in account.oauth_tokens:
        return _json({"error": "invalid_token", "error_description": "The access token provided is invalid"})
    login = {
        "email": account.email,
        "avatar": None,
        "login_id": account.user_id + 36_622_510,
        "login_name": account.username,
        "login_email": account.email,
    }
    document = {
        "dc": account.datacenter,
        "role": account.role,
        "accountname": account.name,
        "user_id": account.user_id,
        "login": login,
        "login_url": call.origin,
        "api_endpoint": call.origin,
    }
    left_out = {"no_dc": ("dc",), "bare": ("dc", "api_endpoint")}.get(kind, ())
    return _json({name: value for name, value in document.items() if name not in left_out})
