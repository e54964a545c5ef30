-- How full each merge field is: contacts with a value among those who are not archived. Portable SQL.
CREATE OR REPLACE VIEW mailchimp_field_fullness AS
SELECT
    field.list_id,
    field.tag,
    field.name,
    field.type,
    field.required,
    field.choices,
    field.position,
    coalesce(filled.contacts, 0) AS filled,
    coalesce(audience.contacts, 0) AS contacts
FROM mailchimp_merge_fields AS field
LEFT JOIN (
    SELECT list_id, count(*) AS contacts
    FROM mailchimp_contacts
    WHERE status <> 'archived'
    GROUP BY list_id
) AS audience ON audience.list_id = field.list_id
LEFT JOIN (
    SELECT list_id, tag, count(*) AS contacts
    FROM mailchimp_contact_fields
    WHERE status <> 'archived'
    GROUP BY list_id, tag
) AS filled ON filled.list_id = field.list_id AND filled.tag = field.tag;
