"""The lines that are printed are the messages that Airbyte's serialiser would print."""

from __future__ import annotations

import json
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from hypothesis import given
from hypothesis import strategies as st

from source_mailchimp_unified.messages import record_line, record_message

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=10)


@given(st.dictionaries(st.text(), values, max_size=8))
def test_a_record_line_is_the_record_message(record: dict[str, Any]) -> None:
    """Whatever a record holds, its line and its message say the same, but for the moment they were made."""
    line = json.loads(record_line("contacts", record).text)
    message = json.loads(AirbyteEntrypoint.airbyte_message_to_string(record_message("contacts", record)))

    assert isinstance(line["record"].pop("emitted_at"), int)
    del message["record"]["emitted_at"]
    assert line == message
