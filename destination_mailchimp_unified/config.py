"""The configuration of the destination."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from mailchimp_unified.config import ConnectionConfig, Untrusted, parse_config, unknown_keys, usable_list_id
from mailchimp_unified.entities.readers import text
from mailchimp_unified.errors import ConfigError
from mailchimp_unified.text import visible

ALL_PERCENT = 100

MOST_LEAVING_PERCENT = 20
"""More than this share of those who carry a tag rarely leave between two syncs: then the table is probably not whole."""

NO_STORAGE, S3 = "None", "S3"
"""What `object_storage_config.storage_type` may be."""

_MOST_NEW = re.compile(r"[0-9]{1,9}|[0-9]{1,4}(\.[0-9]+)?%")

StatusIfNew = Literal["auto", "subscribed", "pending", "unsubscribed", "transactional"]


def _optional_list_id(value: str | None) -> str | None:
    return usable_list_id(value) if value and value.strip() else None


def _constant(value: Any) -> Any:
    return text(value) if isinstance(value, (bool, int, float)) else value


class Rule(Untrusted):
    """A rule of `field_mapping`: a column, or the same value for every record, and the field that it fills.

    `stream` limits it to one stream; `prefix` goes before each value; `separator` stands between the tags of a cell; `format`
    says how a date or a number is written.
    """

    column: Annotated[str, Field(min_length=1)] | None = None
    field: Annotated[str, Field(min_length=1)]
    value: Annotated[str, BeforeValidator(_constant)] | None = None
    stream: str | None = None
    prefix: str | None = None
    separator: str | None = None
    format: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Rule:
        if (self.column is None) == (self.value is None):
            raise ValueError(f"for the field {self.field} needs either a column or a value. Fill in one of them.")
        return self


Flag = Annotated[bool, Field(strict=True)]


def _apply_status(value: object) -> object:
    # Configurations of the first version have a boolean.
    return {True: "always", False: "never"}[value] if isinstance(value, bool) else value


def _most_new(value: object) -> object:
    if value is None or value == "":
        return None
    found = str(value).strip()
    if isinstance(value, bool) or not _MOST_NEW.fullmatch(found):
        raise ValueError("must be a whole number, such as 500, or a percentage, such as 10%. Correct it.")
    return found


def _tag_name(value: str | None) -> str | None:
    return visible(value) or None if value else None


def _storage_type(value: str) -> str:
    if value not in (NO_STORAGE, S3):
        raise ValueError(f"must be {S3} or {NO_STORAGE}. Correct it.")
    return value


class ObjectStorage(Untrusted):
    """A bucket, under the names that Airbyte's platform reads to link to rejected records."""

    storage_type: Annotated[str, AfterValidator(_storage_type)] = NO_STORAGE
    s3_bucket_name: str | None = None
    s3_bucket_region: str | None = None
    bucket_path: str | None = None
    s3_endpoint: str | None = None
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None


class DestinationConfig(ConnectionConfig):
    """Where records go and what may happen to contacts. Everything but the credentials has a careful default."""

    list_id: Annotated[str | None, AfterValidator(_optional_list_id)] = None
    list_ids_from: Literal["record", "configuration"] = "record"
    field_mapping: list[Rule] = Field(default_factory=list)
    unmapped_columns: Literal["ignore", "merge_fields"] = "ignore"
    write_mode: Literal["auto", "bulk", "single"] = "auto"
    status_if_new: StatusIfNew = "auto"
    apply_status: Annotated[Literal["never", "opt_outs", "always"], BeforeValidator(_apply_status)] = "never"
    on_compliance_state: Literal["reject", "pending"] = "reject"
    tag_mode: Literal["add", "replace"] = "add"
    managed_tags: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    suppress_automations: Flag = False
    membership_tag: Annotated[str | None, AfterValidator(_tag_name)] = None
    membership_streams: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    on_leaving: Literal["nothing", "remove_tag"] = "nothing"
    max_leaving_percent: Annotated[float, Field(ge=0, le=ALL_PERCENT)] = MOST_LEAVING_PERCENT
    every_sync_is_complete: Flag = False
    empty_values: Literal["keep", "clear"] = "keep"
    invalid_values: Literal["reject", "leave_out"] = "reject"
    required_fields: Literal["enforce", "skip"] = "enforce"
    create_missing_merge_fields: Flag = False
    on_delete: Literal["archive", "unsubscribe", "ignore"] = "archive"
    restore_archived: Flag = False
    max_rejected_percent: Annotated[float, Field(ge=0, le=ALL_PERCENT)] | None = ALL_PERCENT
    write_policy: Literal["upsert", "update_only", "create_only"] = "upsert"
    max_new_contacts: Annotated[str | None, BeforeValidator(_most_new)] = None
    dry_run: Flag = False
    rejected_records: Literal["none", "file", "object_storage"] = "none"
    rejected_records_file: str | None = None
    object_storage_config: ObjectStorage = ObjectStorage()


def parse_destination_config(config: Mapping[str, Any], logger: logging.Logger) -> DestinationConfig:
    """Return the configuration, and warn about unknown keys. Raises ConfigError.

    An unknown key that is nearly a known one is a mistake: an option such as `dryrun` that nobody reads would write for real.
    """
    unknown = unknown_keys(DestinationConfig, config)
    misspelt = [key.words for key in unknown if key.nearest]
    if misspelt:
        raise ConfigError(f"Unknown configuration keys: {', '.join(misspelt)}. Correct or remove them.")
    parsed = parse_config(DestinationConfig, config)
    if unknown:
        logger.warning("Ignoring unknown configuration keys: %s.", ", ".join(key.path for key in unknown))
    return parsed


def read_object(path: str, what: str) -> dict[str, Any]:
    """Return the JSON object in a file. Raises ConfigError, which names the file by `what`."""
    try:
        content = orjson.loads(Path(path).read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ConfigError(f"The {what} file cannot be read as JSON.", detail=type(error).__name__) from None
    if not isinstance(content, dict):
        raise ConfigError(f"The {what} file does not contain a JSON object.")
    return content
