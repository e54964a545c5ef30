"""The least a reader can do: requests and orjson in, orjson out, page after page.

Usage: bare_loop.py URL KEY LIST_ID
"""

from __future__ import annotations

import sys

import orjson
import requests

PREFIX = b'{"type":"RECORD","record":{"stream":"contacts","emitted_at":0,"data":'


def main() -> None:
    """Read one list and write a line per member."""
    url, key, list_id = sys.argv[1:4]
    session = requests.Session()
    session.auth = ("anystring", key)
    offset, count = 0, 1000
    while count == 1000:
        params = {
            "count": 1000,
            "offset": offset,
            "sort_field": "last_changed",
            "sort_dir": "ASC",
            "exclude_fields": "members._links,_links",
        }
        response = session.get(f"{url}/3.0/lists/{list_id}/members", params=params, timeout=130)
        members = orjson.loads(response.content)["members"]
        sys.stdout.buffer.write(b"".join(PREFIX + orjson.dumps(member) + b"}}\n" for member in members))
        offset, count = offset + 1000, len(members)


if __name__ == "__main__":
    main()
