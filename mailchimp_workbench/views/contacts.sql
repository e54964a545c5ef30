-- Contacts, told apart by what stays when their email address changes. Portable SQL.
--
-- Works on a table that keeps one row per contact (append + deduped) and on one that keeps every version (append).

-- Every version of every contact that the table holds, the newest first in `age` (1 is today's).
CREATE OR REPLACE VIEW mailchimp_contact_versions AS
SELECT
    version.*,
    row_number() OVER (PARTITION BY list_id, contact_key ORDER BY changed_at DESC NULLS LAST, id) AS age
FROM (
    SELECT
        list_id,
        -- A column of its own, so that the versions of one contact can be asked for without numbering those of all.
        coalesce(contact_id, id) AS contact_key,
        id,
        email,
        name,
        first_name,
        last_name,
        status,
        unsubscribe_reason,
        created_at AT TIME ZONE 'UTC' AS created_at,
        -- A confirmation counts before the sign-up that it confirms.
        coalesce(timestamp_opt, timestamp_signup, created_at) AT TIME ZONE 'UTC' AS joined_at,
        updated_at AT TIME ZONE 'UTC' AS changed_at,
        tags,
        custom_fields
    FROM contacts
) AS version;

-- Today's version of each audience that still exists. A deleted audience comes once more as a mark without a name.
CREATE OR REPLACE VIEW mailchimp_audiences AS
SELECT id AS list_id, name, double_optin, created_at AT TIME ZONE 'UTC' AS created_at, merge_fields
FROM (
    SELECT lists.*, row_number() OVER (PARTITION BY id ORDER BY updated_at DESC NULLS LAST) AS age
    FROM lists
) AS versions
WHERE age = 1 AND NOT coalesce(is_deleted, FALSE);

-- Today's version of each contact of those audiences.
CREATE OR REPLACE VIEW mailchimp_contacts AS
SELECT versions.*
FROM mailchimp_contact_versions AS versions
WHERE versions.age = 1 AND versions.list_id IN (SELECT list_id FROM mailchimp_audiences);
