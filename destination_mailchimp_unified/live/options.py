"""The command line of `mailchimp-unified-stream`."""

from __future__ import annotations

import argparse

from destination_mailchimp_unified.live.pipeline import STREAM

TOKEN_VARIABLE = "MAILCHIMP_UNIFIED_TOKEN"  # noqa: S105 - its name, not a token


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(
        prog="mailchimp-unified-stream",
        description="Writes contacts to Mailchimp as they come: one JSON object per line in, one answer per line out.",
    )
    made.add_argument("--config", required=True, metavar="FILE", help="configuration of the destination, as the connector takes it")
    made.add_argument("--stream", default=STREAM, metavar="NAME", help=f"name of the stream, for rules of field_mapping ({STREAM})")
    made.add_argument("--in-order", action="store_true", help="answer lines in their order (default: each as soon as it is known)")
    made.add_argument("--log-file", metavar="FILE", help="file for the log (default: standard error)")
    http = made.add_argument_group("HTTP, instead of lines (pip install 'mailchimp-unified[stream]')")
    http.add_argument("--listen", metavar="HOST:PORT", help="answer POST /contacts, GET /healthz and GET /metrics")
    http.add_argument(
        "--token-file", metavar="FILE", help=f"file with the bearer token that senders show (or the variable {TOKEN_VARIABLE})"
    )
    http.add_argument("--without-token", action="store_true", help="accept requests without a token; only on 127.0.0.1, ::1 and localhost")
    return made
