"""A bucket on a server that speaks the protocol of S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

NAME = "made"
KEYS = {"access_key_id": "test", "secret_access_key": "test-secret-key"}


class Bucket:
    """A bucket from the outside; `endpoint` is the URL of its server."""

    def __init__(self, endpoint: str) -> None:
        import boto3

        self.endpoint = endpoint
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEYS["access_key_id"],
            aws_secret_access_key=KEYS["secret_access_key"],
        )
        self._client.create_bucket(Bucket=NAME)

    def texts(self) -> dict[str, str]:
        """Every object by its key."""
        keys = [one["Key"] for one in self._client.list_objects_v2(Bucket=NAME).get("Contents", [])]
        return {key: self._client.get_object(Bucket=NAME, Key=key)["Body"].read().decode() for key in keys}


@contextmanager
def served() -> Iterator[Bucket]:
    """Serve an empty bucket."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        # What is stored belongs to the process and outlives a server.
        requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10).raise_for_status()
        yield Bucket(f"http://{host}:{port}")
    finally:
        server.stop()
