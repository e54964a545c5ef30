"""Keys, tokens, roles, paths and OAuth."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from mailchimp_emulator import DEFAULT_API_KEY, DEFAULT_OAUTH_TOKEN

KEY_ERROR = "Your API key may be invalid, or you've attempted to access the wrong datacenter."


def root(mailchimp: Any, **options: Any) -> requests.Response:
    """GET /3.0/ with these headers or this query."""
    return requests.get(mailchimp.url + "/3.0/", timeout=10, **options)


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {DEFAULT_API_KEY}",
        f"Bearer {DEFAULT_OAUTH_TOKEN}",
        f"OAuth {DEFAULT_OAUTH_TOKEN}",
        f"apikey {DEFAULT_API_KEY}",
    ],
)
def test_accepted_headers(mailchimp: Any, header: str) -> None:
    """Keys and tokens are taken as Bearer, OAuth or apikey."""
    assert root(mailchimp, headers={"Authorization": header}).status_code == 200


def test_basic_takes_any_user(mailchimp: Any) -> None:
    """Basic wants the key as the password of anybody; a query parameter works too."""
    assert root(mailchimp, auth=("anybody", DEFAULT_API_KEY)).status_code == 200
    assert root(mailchimp, params={"apikey": DEFAULT_API_KEY}).status_code == 200


@pytest.mark.parametrize(
    ("header", "status", "title", "detail"),
    [
        (None, 401, "API Key Invalid", "Your request did not include an API key."),
        ("Bearer wrong-us1", 401, "API Key Invalid", KEY_ERROR),
        ("Basic !!!", 401, "API Key Invalid", KEY_ERROR),
        (
            f"Bearer {DEFAULT_API_KEY.replace('us1', 'us6')}",
            403,
            "Forbidden",
            "The API key provided is linked to datacenter 'us1'",
        ),
    ],
)
def test_refused_headers(mailchimp: Any, header: str | None, status: int, title: str, detail: str) -> None:
    """A missing, wrong or misplaced key is refused in Mailchimp's words."""
    body = root(mailchimp, headers={"Authorization": header} if header else {}).json()
    assert (body["status"], body["title"], body["detail"]) == (status, title, detail)


def test_header_and_query_must_agree(mailchimp: Any) -> None:
    """Two different credentials in one request are refused."""
    answer = root(mailchimp, auth=("x", DEFAULT_API_KEY), params={"apikey": "other-us1"})
    assert answer.status_code == 401
    assert "not consistent" in answer.json()["detail"]


def test_revoked_and_allowed_keys(mailchimp: Any) -> None:
    """A revoked key or token stops working, and a key can be made valid."""
    mailchimp.revoke(DEFAULT_API_KEY)
    assert root(mailchimp, auth=("x", DEFAULT_API_KEY)).status_code == 401
    mailchimp.allow("fresh-us1")
    assert root(mailchimp, auth=("x", "fresh-us1")).status_code == 200


def test_forbidden_paths_and_roles(api: Any, mailchimp: Any) -> None:
    """Forbidden paths and the writes of a viewer are 403 with a JSON problem."""
    mailchimp.forbid([r"/segments"])
    answer = api.call("GET", "segments")
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")
    mailchimp.forbid([])
    assert api.call("GET", "segments").status_code == 200
    mailchimp.role("viewer")
    assert api.post("members", {}).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nowhere", 404, None),
        ("GET", "/lists/aaaaaaaaaa/nothing", 404, None),
        ("GET", "/lists/0000000000/members", 404, None),
        ("GET", "/lists/aaaaaaaaaa/segments/x", 404, None),
        ("PUT", "/lists/aaaaaaaaaa/members", 405, "GET, POST"),
        ("DELETE", "/ping", 405, "GET"),
    ],
)
def test_unknown_paths_and_methods(api: Any, method: str, path: str, status: int, allow: str | None) -> None:
    """An unknown path is 404; a known path with another method is 405 with Allow."""
    answer = api.call(method, path)
    assert (answer.status_code, answer.headers.get("Allow")) == (status, allow)


def test_method_override(api: Any) -> None:
    """POST with X-HTTP-Method-Override counts as the method it names."""
    api.add("ada")
    answer = api.call("POST", "members/ada@shop.test", headers={"X-HTTP-Method-Override": "DELETE"})
    assert answer.status_code == 204


@pytest.mark.parametrize(("name", "status"), [("APIKeyMissing", 401), ("UserDisabled", 403), ("TooManyRequests", 429)])
def test_triggered_errors(api: Any, name: str, status: int) -> None:
    """X-Trigger-Error returns the error of that name."""
    assert api.call("GET", "/ping", headers={"X-Trigger-Error": name}).status_code == status


def exchange(mailchimp: Any, code: str, **changes: str) -> requests.Response:
    """Exchange a code for a token."""
    form = {
        "grant_type": "authorization_code",
        "client_id": "app",
        "client_secret": "secret",
        "redirect_uri": "http://127.0.0.1/back",
        "code": code,
        **changes,
    }
    return requests.post(mailchimp.url + "/oauth2/token", data=form, timeout=10)


def code_of(mailchimp: Any) -> str:
    """Ask for a code as a browser would."""
    query = {"response_type": "code", "client_id": "app", "redirect_uri": "http://127.0.0.1/back", "state": "s 1"}
    answer = requests.get(mailchimp.url + "/oauth2/authorize", params=query, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert back["state"] == ["s 1"]
    return back["code"][0]


def test_oauth_flow(mailchimp: Any) -> None:
    """A code becomes a token once, and the token opens the API and the metadata."""
    code = code_of(mailchimp)
    granted = exchange(mailchimp, code).json()
    assert granted.keys() == {"access_token", "expires_in", "scope"}
    assert exchange(mailchimp, code).status_code == 400
    bearer = {"Authorization": f"Bearer {granted['access_token']}"}
    assert root(mailchimp, headers=bearer).status_code == 200
    known = requests.get(mailchimp.url + "/oauth2/metadata", headers=bearer, timeout=10).json()
    assert (known["dc"], known["api_endpoint"]) == ("us1", mailchimp.url)


@pytest.mark.parametrize(
    "changes", [{"grant_type": "password"}, {"client_id": "other"}, {"client_secret": ""}, {"redirect_uri": "http://x"}]
)
def test_bad_token_requests(mailchimp: Any, changes: dict[str, str]) -> None:
    """Every part of the exchange must fit."""
    assert exchange(mailchimp, code_of(mailchimp), **changes).status_code == 400


def test_old_codes_expire(mailchimp: Any) -> None:
    """A code is good for half a minute."""
    code = code_of(mailchimp)
    mailchimp.clock(advance=31)
    assert exchange(mailchimp, code).json()["error"] == "invalid_grant"


def test_metadata_with_a_bad_token_is_200(mailchimp: Any) -> None:
    """A bad token is answered 200 with an error and without api_endpoint."""
    for header in ({}, {"Authorization": "OAuth nope"}):
        answer = requests.get(mailchimp.url + "/oauth2/metadata", headers=header, timeout=10)
        assert answer.status_code == 200
        assert answer.json()["error"] == "invalid_token"
        assert "api_endpoint" not in answer.json()


def test_oauth_knows_registered_applications(mailchimp: Any) -> None:
    """The secret of a registered application is checked; a person may refuse, and comes back without a code."""
    mailchimp.register_app("app", "right")
    assert exchange(mailchimp, code_of(mailchimp), client_secret="wrong").json()["error"] == "invalid_client"
    assert exchange(mailchimp, code_of(mailchimp), client_secret="right").json()["access_token"]
    mailchimp.behavior(oauth_consent="deny")
    query = {"response_type": "code", "client_id": "app", "redirect_uri": "http://127.0.0.1/back", "state": "s"}
    answer = requests.get(mailchimp.url + "/oauth2/authorize", params=query, allow_redirects=False, timeout=10)
    assert answer.headers["Location"] == "http://127.0.0.1/back?state=s&error=access_denied"


@pytest.mark.parametrize(
    ("kind", "status", "keys"),
    [("whole", 200, {"dc", "api_endpoint"}), ("no_dc", 200, {"api_endpoint"}), ("bare", 200, set()), ("gone", 404, set())],
)
def test_metadata_may_tell_less(mailchimp: Any, kind: str, status: int, keys: set[str]) -> None:
    """The metadata call may name no data center, no endpoint either, or be gone."""
    mailchimp.behavior(oauth_metadata=kind)
    header = {"Authorization": f"OAuth {DEFAULT_OAUTH_TOKEN}"}
    answer = requests.get(mailchimp.url + "/oauth2/metadata", headers=header, timeout=10)
    assert (answer.status_code, answer.json().keys() & {"dc", "api_endpoint"}) == (status, keys)
