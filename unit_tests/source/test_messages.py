"""The lines that are printed are the messages that Airbyte's serialiser would print."""

from __future__ import annotations

import json
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from hypothesis import given
from hypothesis import strategies as st

from source_mailchimp_unified.sync.messages import record_lines, record_messages

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=10)


@given(st.lists(st.dictionaries(st.text(), values, max_size=8), max_size=4))
def test_record_lines_are_the_record_messages(records: list[dict[str, Any]]) -> None:
    """For any records, their lines and messages say the same, except for the time they were made."""
    chunks = list(record_lines("contacts", records))
    lines = [json.loads(line) for chunk in chunks for line in chunk.content.splitlines()]
    messages = [json.loads(AirbyteEntrypoint.airbyte_message_to_string(one)) for one in record_messages("contacts", records)]

    assert sum(chunk.number for chunk in chunks) == len(records)
    for one in [*lines, *messages]:
        assert isinstance(one["record"].pop("emitted_at"), int)
    assert lines == messages
