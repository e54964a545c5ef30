"""The configuration of the destination."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from mailchimp_unified.config import ConnectionConfig, usable_list_id

ALL_PERCENT = 100

StatusIfNew = Literal["auto", "subscribed", "pending", "unsubscribed", "transactional"]


def _optional_list_id(value: str | None) -> str | None:
    return usable_list_id(value) if value and value.strip() else None


class Mapping(BaseModel):
    """A column and the field it fills: a unified name, or custom_fields.TAG for a merge field."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    column: Annotated[str, Field(min_length=1)]
    field: Annotated[str, Field(min_length=1)]


Flag = Annotated[bool, Field(strict=True)]


def _apply_status(value: object) -> object:
    # Configurations of the first version have a boolean.
    return {True: "always", False: "never"}[value] if isinstance(value, bool) else value


class DestinationConfig(ConnectionConfig):
    """Where records go and what may happen to contacts. Everything but the credentials has a careful default."""

    list_id: Annotated[str | None, AfterValidator(_optional_list_id)] = None
    field_mapping: list[Mapping] = Field(default_factory=list)
    unmapped_columns: Literal["ignore", "merge_fields"] = "ignore"
    write_mode: Literal["auto", "bulk", "single"] = "auto"
    status_if_new: StatusIfNew = "auto"
    apply_status: Annotated[Literal["never", "opt_outs", "always"], BeforeValidator(_apply_status)] = "never"
    on_compliance_state: Literal["reject", "pending"] = "reject"
    tag_mode: Literal["add", "replace"] = "add"
    managed_tags: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    suppress_automations: Flag = False
    empty_values: Literal["keep", "clear"] = "keep"
    create_missing_merge_fields: Flag = False
    on_delete: Literal["archive", "unsubscribe", "ignore"] = "archive"
    restore_archived: Flag = False
    max_rejected_percent: Annotated[float, Field(ge=0, le=ALL_PERCENT)] | None = ALL_PERCENT
    dry_run: Flag = False
