"""One PUT per contact, some at once: what writing costs without bulk calls.

Usage: single_puts.py URL KEY LIST_ID COUNT WORKERS
"""

from __future__ import annotations

import hashlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import orjson
import requests

SESSIONS = threading.local()


def put(url: str, key: str, email: str) -> None:
    """Write one contact."""
    if not hasattr(SESSIONS, "session"):
        SESSIONS.session = requests.Session()
        SESSIONS.session.auth = ("anystring", key)
    member_hash = hashlib.md5(email.encode(), usedforsecurity=False).hexdigest()
    body = orjson.dumps({"email_address": email, "status_if_new": "subscribed", "merge_fields": {"FNAME": "Ada"}})
    SESSIONS.session.put(f"{url}/{member_hash}", data=body, timeout=130).raise_for_status()


def main() -> None:
    """Write so many contacts."""
    url, key, list_id, count, workers = sys.argv[1:6]
    members = f"{url}/3.0/lists/{list_id}/members"
    with ThreadPoolExecutor(int(workers)) as pool:
        list(pool.map(lambda number: put(members, key, f"single.{number}@example.org"), range(int(count))))


if __name__ == "__main__":
    main()
