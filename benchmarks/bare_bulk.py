"""The least a writer in bulk can do: the same calls over the same number of connections, and every answer parsed.

Usage: bare_bulk.py URL KEY LIST_ID CONTACTS WORKERS. Prints the seconds from the first call to the last answer.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import requests

BULK = 500
SESSIONS = threading.local()


def session(key: str) -> requests.Session:
    """Return the connection of this thread."""
    if not hasattr(SESSIONS, "session"):
        SESSIONS.session = requests.Session()
        SESSIONS.session.trust_env = False
        SESSIONS.session.auth = ("anystring", key)
    return SESSIONS.session  # type: ignore[no-any-return]


def post(url: str, key: str, body: bytes) -> int:
    """Write one body. Returns how many contacts were created."""
    response = session(key).post(url, data=body, headers={"Content-Type": "application/json"}, timeout=130)
    return len(orjson.loads(response.content)["new_members"])


def main() -> None:
    """Write so many contacts."""
    url, key, list_id, contacts, workers = sys.argv[1:6]
    rows = [
        {"email_address": f"bare.{n}@example.org", "merge_fields": {"FNAME": "Burst"}, "status": "subscribed"} for n in range(int(contacts))
    ]
    bodies = [orjson.dumps({"members": rows[start : start + BULK], "update_existing": False}) for start in range(0, len(rows), BULK)]
    path = f"{url}/3.0/lists/{list_id}"
    with ThreadPoolExecutor(int(workers)) as pool:
        # Both are measured with their connections open.
        list(pool.map(lambda _: session(key).get(f"{url}/3.0/ping", timeout=130), range(int(workers))))
        began = time.perf_counter()
        created = sum(pool.map(lambda body: post(path, key, body), bodies))
    assert created == int(contacts), f"{created} contacts were created"
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
