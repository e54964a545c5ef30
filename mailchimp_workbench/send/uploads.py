"""Uploaded files: CSV in any usual form, and the JSON lines in which the destination gives rejects back."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

import duckdb
import orjson

from mailchimp_workbench.connectors import Json
from mailchimp_workbench.database import UPLOADS, Database, first_line
from mailchimp_workbench.problems import WorkbenchError
from mailchimp_workbench.send.reject_files import MARKS, restored
from mailchimp_workbench.send.rows import Rows, from_records, from_upload, new_table
from mailchimp_workbench.warehouse import quoted

BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
WINDOWS = "cp1252"
"""What spreadsheets write that do not write UTF-8."""

CHUNK_BYTES = 1 << 20


def rows_of_upload(database: Database, path: Path, name: str) -> Rows:
    """Return the rows of a file. Raises WorkbenchError saying why there are none."""
    if path.stat().st_size == 0:
        raise WorkbenchError("The file is empty.", "Choose a CSV file with a line of column names.")
    if name.lower().endswith((".jsonl", ".ndjson")):
        return from_records(name, _records(path))
    if path.open("rb").read(4) == b"PK\x03\x04":
        raise WorkbenchError("This is an Excel workbook.", "Save the sheet as CSV first.")
    table = new_table()
    _load_csv(database, _in_utf8(path), table)
    rows = from_upload(database, table, name)
    if not rows.count:
        raise WorkbenchError("The file has a line of column names and no rows.")
    if set(MARKS) <= set(rows.names):
        return from_records(name, [restored(row) for batch in rows.batches(database) for row in batch])
    return rows


def as_utf8(path: Path) -> Path:
    """Return where a file is copied to that is not in UTF-8."""
    return path.with_suffix(".utf8")


def _load_csv(database: Database, path: Path, table: str) -> None:
    try:
        # Every value is kept as it was written: leading zeros, dates, signs.
        database.execute(
            f"CREATE TABLE {UPLOADS}.{quoted(table)} AS SELECT * FROM read_csv(?, all_varchar = true, header = true, null_padding = true,"
            " strict_mode = false, parallel = false, sample_size = -1)",
            [str(path)],
        )
    except duckdb.Error as error:
        raise WorkbenchError("This file cannot be read as CSV.", first_line(error)) from error


def _records(path: Path) -> Sequence[Json]:
    try:
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
    except orjson.JSONDecodeError as error:
        raise WorkbenchError("This file cannot be read as JSON lines.", str(error)) from error
    if not lines or not all(isinstance(line, dict) for line in lines):
        raise WorkbenchError("This file contains no records.", "Each line has to be a JSON object.")
    return [line["record"] if isinstance(line.get("record"), dict) else line for line in lines]


def _in_utf8(path: Path) -> Path:
    """Return the file in UTF-8: itself, or a copy of one that spreadsheets write otherwise."""
    encoding = _encoding(path)
    if encoding == "utf-8":
        return path
    copy = as_utf8(path)
    with path.open(encoding=encoding, errors="replace", newline="") as read, copy.open("w", encoding="utf-8", newline="") as written:
        while text := read.read(CHUNK_BYTES):
            written.write(text)
    return copy


def _encoding(path: Path) -> str:
    with path.open("rb") as content:
        head = content.read(4)
        if known := next((encoding for bom, encoding in BOMS if head.startswith(bom)), None):
            return known
        content.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := content.read(CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return WINDOWS
    return "utf-8"
