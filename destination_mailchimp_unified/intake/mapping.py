"""Mistakes in a mapping, found before anything is sent: impossible rules, columns that nobody has, unreachable merge fields. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations

from destination_mailchimp_unified.audience.audience import Audience
from destination_mailchimp_unified.audience.merge_fields import MOST_CREATED, PlannedField
from destination_mailchimp_unified.config import DestinationConfig, Rule
from destination_mailchimp_unified.intake.arrivals import Arrival
from destination_mailchimp_unified.intake.columns import Columns
from destination_mailchimp_unified.intake.described import shown
from destination_mailchimp_unified.intake.fields import MERGE_FIELD_PREFIX, Field
from destination_mailchimp_unified.intake.planned import planned_by_rules
from destination_mailchimp_unified.intake.rules import Filler, filler_of
from mailchimp_unified.entities.contact import merge_values
from mailchimp_unified.entities.contact_fields import ADDRESS_TAG, FIRST_NAME_TAG, LAST_NAME_TAG, PHONE_TAG
from mailchimp_unified.entities.merge_field import InvalidValueError, MergeField, value_to_mailchimp
from mailchimp_unified.errors import ConfigError
from mailchimp_unified.text import did_you_mean, folded, is_blank, visible

_CHOICES = ("dropdown", "radio")


def check_fields(config: DestinationConfig) -> None:
    """Raise ConfigError for a configuration that is wrong in every audience and for every stream."""
    fillers = _fillers(config)
    for here in _scopes(fillers):
        _check_once(here, "field_mapping")
    if config.tag_mode == "replace" and not config.managed_tags:
        raise ConfigError("tag_mode replace needs managed_tags: the patterns of the tags that may be taken away, such as warehouse:*.")
    _check_membership(config, fillers)
    if config.list_ids_from == "configuration" and not config.list_id:
        raise ConfigError("list_ids_from is configuration, but list_id is not set. Please choose the audience in list_id.")
    if config.list_ids_from == "configuration" and any(filler.field.label == "list_id" for filler in fillers):
        raise ConfigError("list_ids_from is configuration, but field_mapping fills list_id. Please remove one of them.")


def _check_membership(config: DestinationConfig, fillers: Sequence[Filler]) -> None:
    tag = config.membership_tag
    if tag is None and config.on_leaving == "remove_tag":
        raise ConfigError("on_leaving is remove_tag, but membership_tag is not set. Please name the tag in membership_tag.")
    if tag is None and config.membership_streams:
        raise ConfigError("membership_streams is set, but membership_tag is not. Please name the tag in membership_tag.")
    if tag is not None and any(filler.field.kind == "tag" and folded(filler.field.name) == folded(tag) for filler in fillers):
        raise ConfigError(f"field_mapping fills tag:{tag}, which is the membership_tag that every contact gets. Please remove one of them.")


def _fillers(config: DestinationConfig) -> list[Filler]:
    made = [_filler_or_mistake(rule) for rule in config.field_mapping]
    mistakes = [one for one in made if isinstance(one, str)]
    if mistakes:
        raise ConfigError(
            f"field_mapping has rules that cannot work: {'; '.join(dict.fromkeys(mistakes))}. A field is a unified name such as email"
            f" or tags, {MERGE_FIELD_PREFIX}TAG for a merge field, full_name, tag:NAME, interests.Category/Name,"
            f" marketing_permissions.Text, or ignore."
        )
    return [one for one in made if isinstance(one, Filler)]


def _filler_or_mistake(rule: Rule) -> Filler | str:
    try:
        return filler_of(rule)
    except ValueError as error:
        return str(error)


def _scopes(fillers: Sequence[Filler]) -> list[list[Filler]]:
    """Return the rules that are certainly for the same stream: those that name the same one, and those that name none."""
    scopes: dict[str, list[Filler]] = {}
    for filler in fillers:
        scopes.setdefault(folded(filler.rule.stream or "") if filler.rule else "", []).append(filler)
    return list(scopes.values())


def _check_once(fillers: Iterable[Filler], where: str) -> None:
    """Raise ConfigError when two of the fillers, which are for one stream, fill one field."""
    for one, other in combinations(fillers, 2):
        if not _clash(one.field, other.field) or one.rule == other.rule:
            continue
        name = one.field.label if one.field == other.field else f"{one.field.label} and {other.field.label}, which are the same field,"
        raise ConfigError(
            f"{where} fills {name} from more than one column: {one.origin} and {other.origin}. Please keep one of them,"
            f" or give each rule its stream if they are for different streams."
        )


def _clash(one: Field, other: Field) -> bool:
    if one.slots & other.slots:
        return True
    kinds = {one.kind, other.kind}
    # A postal address is filled as a whole or by its parts.
    return kinds == {"merge field", "address part"} and one.name == other.name


def check_filled_once(stream: str, columns: Columns) -> None:
    """Raise ConfigError when two columns of a stream, as far as they are known, fill one field."""
    _check_once(columns.rule_fillers(), f"field_mapping for the stream {stream}")


def check_columns(stream: str, columns: Columns, *, has_audience: bool) -> None:
    """Raise ConfigError for a stream whose columns, as far as its schema tells them, cannot be written."""
    if not columns.known:
        # Nothing is known of the columns: the records will tell.
        return
    check_filled_once(stream, columns)
    reached = {f.field.label for column in columns.known for f in columns.fillers(column)} | {f.field.label for f in columns.constants}
    if "email" not in reached:
        likely = next((column for column in columns.known if "mail" in folded(column)), None)
        raise ConfigError(
            f"Stream {stream} has no column for the email address. Please map one{f', perhaps {likely},' if likely else ''} to the field"
            f" email in field_mapping. Its columns are: {shown(sorted(columns.known))}."
        )
    if "list_id" not in reached and not has_audience:
        raise ConfigError(
            f"Stream {stream} does not say which audience it goes to. Please set list_id, or map a column to the field list_id."
        )


def check_rules_have_columns(config: DestinationConfig, streams: Sequence[tuple[str, Columns]]) -> None:
    """Raise ConfigError for a rule whose column no stream has, where the schemas tell all columns."""
    missing = []
    for rule in config.field_mapping:
        here = [columns for name, columns in streams if not rule.stream or folded(rule.stream) == folded(name)]
        if rule.column is None or not all(columns.known for columns in here):
            continue
        if not any(_has(columns, rule.column) for columns in here):
            names = [name for columns in here for name in columns.known]
            missing.append(f"{rule.column}{did_you_mean(rule.column, names)}{f' of stream {rule.stream}' if rule.stream else ''}")
    if missing:
        raise ConfigError(f"field_mapping names columns that no stream has: {shown(missing)}. Please correct or remove them.")


def _has(columns: Columns, column: str) -> bool:
    return folded(column) in columns.names or folded(column.partition(".")[0]) in columns.names


def check_audience(config: DestinationConfig, audience: Audience) -> None:
    """Raise ConfigError for a mapping that does not fit the merge fields of an audience."""
    fillers = [filler for filler in _fillers(config) if filler.field.merge_tag]
    unknown = missing_tags(config, audience)
    if unknown and not config.create_missing_merge_fields:
        words = shown(f"{tag}{did_you_mean(tag, list(audience.merge_fields))}" for tag in unknown)
        raise ConfigError(
            f"field_mapping names merge fields that the audience {audience.id} does not have: {words}."
            f" Please choose among {', '.join(sorted(audience.merge_fields)) or 'none'}, or turn create_missing_merge_fields on."
        )
    if len(unknown) > MOST_CREATED:
        raise ConfigError(
            f"field_mapping names {len(unknown)} merge fields that the audience {audience.id} does not have, and one sync creates at most"
            f" {MOST_CREATED}. Please create the others in Mailchimp."
        )
    _check_names(_fillers(config), audience)
    for filler in fillers:
        _check_type(filler, audience.merge_field(filler.field.merge_tag or ""))
    if config.field_mapping and config.required_fields == "enforce" and (missing := unmapped_required(config, audience)):
        raise ConfigError(
            f"The audience {audience.id} requires merge fields that field_mapping does not fill: {', '.join(missing)}."
            f" Please map a column to {MERGE_FIELD_PREFIX}{missing[0]}, make the field optional in Mailchimp, or set required_fields"
            f" to skip."
        )


def names_groups(config: DestinationConfig) -> bool:
    """Return whether a rule names a group or a marketing permission."""
    return any(filler.field.kind in ("interest", "permission") for filler in _fillers(config))


def _check_names(fillers: Iterable[Filler], audience: Audience) -> None:
    """Raise ConfigError for groups and marketing permissions that the audience does not have, where their names were read."""
    if audience.groups is None:
        return
    unknown = []
    for filler in fillers:
        find = {"interest": audience.groups.interest_id, "permission": audience.groups.permission_id}.get(filler.field.kind)
        try:
            if find:
                find(filler.field.name)
        except InvalidValueError as error:
            unknown.append(error.reason)
    if unknown:
        raise ConfigError(f"field_mapping does not fit the audience {audience.id}: {'; '.join(unknown)}. Please correct the names.")


def _check_type(filler: Filler, merge_field: MergeField | None) -> None:
    """Raise ConfigError where nothing that a rule brings could ever be written to its merge field."""
    if merge_field is None:
        return
    label = filler.field.label
    if filler.field.part and merge_field.type != "address":
        raise ConfigError(f"field_mapping fills {label}, but {merge_field.tag} is of type {merge_field.type}, not a postal address.")
    if merge_field.type in _CHOICES and not merge_field.choices:
        raise ConfigError(
            f"field_mapping fills {label}, but the merge field {merge_field.tag} of type {merge_field.type} has no choices."
            f" Please add them in Mailchimp."
        )
    if filler.rule is None or filler.rule.value is None or filler.field.part:
        return
    try:
        value = filler.read(filler.rule.value) if filler.read else filler.rule.value
        value_to_mailchimp(merge_field, f"{filler.rule.prefix or ''}{value}")
    except (InvalidValueError, ValueError) as error:
        reason = error.reason if isinstance(error, InvalidValueError) else str(error)
        raise ConfigError(f"field_mapping fills {label} with a value that {reason}.") from None


def missing_tags(config: DestinationConfig, audience: Audience) -> list[str]:
    """Return the tags of merge fields that rules name and the audience does not have."""
    return sorted(tag for tag in planned_by_rules(config) if audience.merge_field(tag) is None)


def unmapped_required(config: DestinationConfig, audience: Audience) -> list[str]:
    """Return the tags of required merge fields that no mapping fills and no column name can be counted on to fill."""
    if config.unmapped_columns == "merge_fields" or any(folded(rule.field) == "custom_fields" for rule in config.field_mapping):
        return []
    reached = {*planned_by_rules(config), FIRST_NAME_TAG, LAST_NAME_TAG, PHONE_TAG, ADDRESS_TAG}
    return [tag for tag in audience.required_tags if tag not in reached]


def missing_fields(arrivals: Iterable[Arrival], audience: Audience, asked_for: Collection[str]) -> list[PlannedField]:
    """Return the merge fields that the mapping names, records fill, and neither the audience has nor was asked for; each once."""
    missing: dict[str, PlannedField] = {}
    for arrival in arrivals:
        for tag, value in merge_values(arrival.contact.unified).items():
            planned = arrival.planned.get(visible(tag).upper())
            if planned and not is_blank(value) and audience.merge_field(tag) is None and planned.tag not in asked_for:
                missing.setdefault(planned.tag, planned)
    return list(missing.values())
