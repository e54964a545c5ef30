"""One emulator for all tests of this folder, new for each of them, and a small client for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mailchimp_emulator import DEFAULT_API_KEY, Emulator

NOON = "2026-05-04T12:00:00+00:00"


class Api:
    """Calls one list of the emulator with a valid key."""

    def __init__(self, url: str, list_id: str) -> None:
        self.url, self.list_id = url, list_id
        self.session = requests.Session()
        self.session.auth = ("any", DEFAULT_API_KEY)

    def call(self, method: str, path: str = "", **options: Any) -> requests.Response:
        """Call a path below the list, or below /3.0 when it begins with a slash."""
        whole = path if path.startswith("/") else f"/lists/{self.list_id}/{path}".rstrip("/")
        return self.session.request(method, f"{self.url}/3.0{whole}", timeout=10, **options)

    def get(self, path: str = "", **query: Any) -> Any:
        """The body of a GET that must succeed."""
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def members(self, **query: Any) -> list[Any]:
        """The members of one page."""
        return self.get("members", **query)["members"]

    def emails(self, **query: Any) -> list[str]:
        """The email addresses of one page, names only."""
        return [member["email_address"].split("@")[0] for member in self.members(**query)]

    def post(self, path: str = "", body: Any = None, **query: Any) -> requests.Response:
        """A POST of JSON."""
        return self.call("POST", path, json=body, params=query)

    def put(self, path: str, body: Any = None, **query: Any) -> requests.Response:
        """A PUT of JSON."""
        return self.call("PUT", path, json=body, params=query)

    def patch(self, path: str, body: Any = None) -> requests.Response:
        """A PATCH of JSON."""
        return self.call("PATCH", path, json=body)

    def delete(self, path: str) -> requests.Response:
        """A DELETE."""
        return self.call("DELETE", path)

    def add(self, name: str, status: str = "subscribed", **more: Any) -> Any:
        """Add a contact that must be accepted."""
        answer = self.post("members", {"email_address": f"{name}@shop.test", "status": status, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def bulk(self, *rows: dict[str, Any], query: dict[str, Any] | None = None, **flags: Any) -> Any:
        """A bulk write that must be accepted as a whole."""
        answer = self.call("POST", "", json={"members": list(rows), **flags}, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One server for the whole run."""
    with Emulator() as running:
        yield running


@pytest.fixture
def mailchimp(emulator: Emulator) -> Emulator:
    """The emulator, empty, at noon of a day in May, with time standing still."""
    emulator.reset()
    emulator.clock(freeze=True, set=NOON)
    return emulator


@pytest.fixture
def api(mailchimp: Emulator) -> Iterator[Api]:
    """A client for an empty list."""
    [list_id] = mailchimp.seed(id="aaaaaaaaaa", name="Customers")
    client = Api(mailchimp.url, list_id)
    yield client
    client.session.close()
