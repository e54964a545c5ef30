-- What nested columns hold, as rows. PostgreSQL with jsonb columns, as Airbyte's destination makes them.

CREATE OR REPLACE VIEW mailchimp_merge_fields AS
SELECT
    audience.list_id,
    field ->> 'tag' AS tag,
    field ->> 'name' AS name,
    field ->> 'type' AS type,
    coalesce((field ->> 'required')::boolean, FALSE) AS required,
    nullif(field ->> 'choices', 'null') AS choices,
    (field ->> 'display_order')::integer AS position
FROM mailchimp_audiences AS audience
CROSS JOIN LATERAL jsonb_array_elements(audience.merge_fields) AS field
WHERE jsonb_typeof(audience.merge_fields) = 'array';

-- One row for each tag of a contact.
CREATE OR REPLACE VIEW mailchimp_contact_tags AS
SELECT contact.list_id, contact.contact_key, contact.status, tag ->> 'name' AS tag
FROM mailchimp_contacts AS contact
CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(contact.tags) WHEN 'array' THEN contact.tags ELSE '[]' END) AS tag;

-- One row for each merge field that a contact has filled. A postal address without any part is not filled.
CREATE OR REPLACE VIEW mailchimp_contact_fields AS
SELECT contact.list_id, contact.contact_key, contact.status, field.key AS tag, field.value #>> '{}' AS value
FROM mailchimp_contacts AS contact
CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(contact.custom_fields) WHEN 'object' THEN contact.custom_fields ELSE '{}' END) AS field
WHERE field.value NOT IN ('null', '""')
    AND (
        jsonb_typeof(field.value) <> 'object'
        OR EXISTS (SELECT FROM jsonb_each(field.value) AS part WHERE part.value NOT IN ('null', '""'))
    );
