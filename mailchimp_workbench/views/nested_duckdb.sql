-- What nested columns hold, as rows. DuckDB; nested_postgres.sql is the same for PostgreSQL.
-- Columns may have real types (lists, structs) or hold JSON.

CREATE OR REPLACE VIEW mailchimp_merge_fields AS
SELECT
    list_id,
    field ->> 'tag' AS tag,
    field ->> 'name' AS name,
    field ->> 'type' AS type,
    coalesce(CAST(field ->> 'required' AS BOOLEAN), FALSE) AS required,
    nullif(CAST(field -> 'choices' AS VARCHAR), 'null') AS choices,
    CAST(field ->> 'display_order' AS INTEGER) AS position
FROM (
    SELECT list_id, unnest(CAST(to_json(merge_fields) AS JSON[])) AS field
    FROM mailchimp_audiences
) AS audience;

-- One row for each tag of a contact.
CREATE OR REPLACE VIEW mailchimp_contact_tags AS
SELECT list_id, contact_key, status, tag ->> 'name' AS tag
FROM (
    SELECT list_id, contact_key, status, unnest(CAST(to_json(tags) AS JSON[])) AS tag
    FROM mailchimp_contacts
) AS tagged;

-- One row for each merge field that a contact has filled. A postal address without any part is not filled.
CREATE OR REPLACE VIEW mailchimp_contact_fields AS
SELECT list_id, contact_key, status, tag, value
FROM (
    -- Keys and values of an object come in the same order; casting it to a map takes twice as long.
    SELECT list_id, contact_key, status, unnest(json_keys(held)) AS tag, unnest(json_extract_string(held, '$.*')) AS value
    FROM (SELECT list_id, contact_key, status, to_json(custom_fields) AS held FROM mailchimp_contacts) AS contact
) AS filled
WHERE value IS NOT NULL
    AND value <> ''
    AND (value[1] <> '{' OR regexp_matches(value, ':\s*("[^"]|[^n"\s])'));
