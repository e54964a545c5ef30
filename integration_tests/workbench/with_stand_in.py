"""The workbench's command with a stand-in for the destination, which plans without an account: `write` takes all but a few records."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from mailchimp_workbench import run
from mailchimp_workbench.connectors import installed

CHOICES = ("S", "M", "L", "XL")


def outcome(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what would become of a record."""
    email = fields.pop("email", "") or ""
    if not email.partition("@")[2]:
        return {"outcome": "rejected", "field": "email", "reason": "email: the email address has no name or no domain around an @"}
    if fields.get("custom_fields.SIZE", "M") not in CHOICES:
        return {"outcome": "rejected", "field": "SIZE", "reason": "SIZE: the value is none of the field's choices (S, M, L, XL)"}
    return {"outcome": "created", "changes": {name: {"old": None, "new": value} for name, value in fields.items()}}


def write(config: dict[str, Any]) -> None:
    """Read messages, give states back, and write outcomes to the file."""
    origin = {rule["column"]: rule["field"] for rule in config["field_mapping"] if "column" in rule}
    number, counts = 0, dict.fromkeys(("created", "updated", "unchanged", "skipped", "rejected"), 0)
    with Path(config["rejected_records_file"]).open("a") as file:
        for line in sys.stdin:
            message = json.loads(line)
            if message["type"] == "STATE":
                message["state"]["destinationStats"] = {
                    "recordCount": number - counts["rejected"],
                    "rejectedRecordCount": counts["rejected"],
                }
                sys.stdout.write(json.dumps(message) + "\n")
                continue
            number += 1
            record = message["record"]["data"]
            one = outcome({origin[name]: value for name, value in record.items() if origin.get(name, "ignore") != "ignore" and value})
            counts[one["outcome"]] += 1
            if config["dry_run"] or one["outcome"] == "rejected":
                file.write(json.dumps({"number": number, "record": record, **one}) + "\n")
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    sys.stdout.write(json.dumps({"type": "LOG", "log": {"level": "INFO", "message": f"Stream people: {summary}."}}) + "\n")


if __name__ == "__main__":
    if sys.argv[1] in ("spec", "check", "discover"):
        sys.exit(subprocess.run([*installed("destination"), *sys.argv[1:]], check=False).returncode)
    if sys.argv[1] == "write":
        write(json.loads(Path(sys.argv[sys.argv.index("--config") + 1]).read_text()))
    else:
        run.installed = lambda name: (sys.executable, __file__) if name == "destination" else installed(name)  # type: ignore[assignment]
        sys.exit(run.main())
