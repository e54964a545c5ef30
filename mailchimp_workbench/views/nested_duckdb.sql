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
SELECT list_id, contact_key, status, entry.key AS tag, entry.value AS value
FROM (
    SELECT list_id, contact_key, status, unnest(map_entries(CAST(to_json(custom_fields) AS MAP(VARCHAR, VARCHAR)))) AS entry
    FROM mailchimp_contacts
) AS filled
WHERE entry.value IS NOT NULL
    AND entry.value <> ''
    AND (entry.value[1] <> '{' OR regexp_matches(entry.value, ':\s*("[^"]|[^n"\s])'));
