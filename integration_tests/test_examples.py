"""The examples do what the README says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]


def test_the_demo_ends_with_typed_tables(tmp_path: Path) -> None:
    """The demo reads everything, then what changed, writes back and reads that, into tables with real types."""
    demo = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "demo.py")], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "contacts  6350        4                55" in demo.stdout
    assert "unsubscribed  unsubscribed      Pro   5         5" in demo.stdout
    with duckdb.connect(str(tmp_path / "demo_output" / "mailchimp.duckdb")) as warehouse:
        (contacts,) = warehouse.sql("SELECT count(DISTINCT (list_id, id)) FROM contacts").fetchall()
        (left,) = warehouse.sql("SELECT count(*) FROM contacts WHERE status = 'archived' AND is_deleted").fetchall()
        types = dict(
            warehouse.sql("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'contacts'").fetchall()
        )
    assert contacts == (6360,)
    assert left == (321,)
    assert types["updated_at"] == "TIMESTAMP WITH TIME ZONE"
    assert types["custom_fields"].startswith("STRUCT(")
    assert "LTV DOUBLE" in types["custom_fields"]
