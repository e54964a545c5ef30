-- Who joined and who left, by month. Portable SQL.
--
-- From a table that keeps one row per contact these are the confirmation or sign-up (joined_at) of everybody who ever had one, and the last
-- change (changed_at) of those who are gone. An edit after somebody left moves that month, and who left and came back shows as joined once.
-- From a table that keeps every version (append) the moments are those at which the status changed, as far back as versions go.

-- The versions of a contact with the status before each.
CREATE OR REPLACE VIEW mailchimp_status_changes AS
SELECT *
FROM (
    SELECT
        list_id,
        contact_key,
        email,
        status,
        unsubscribe_reason,
        joined_at,
        changed_at,
        lag(status) OVER (PARTITION BY list_id, contact_key ORDER BY age DESC) AS was
    FROM mailchimp_contact_versions
) AS versions
WHERE was IS NULL OR was <> status;

-- A first version counts when the contact had joined: one that was imported without a date joined nobody knows when.
CREATE OR REPLACE VIEW mailchimp_arrivals AS
SELECT list_id, contact_key, CASE WHEN was IS NULL THEN joined_at ELSE changed_at END AS happened_at
FROM mailchimp_status_changes
WHERE (was IS NOT NULL AND status = 'subscribed')
    OR (was IS NULL AND joined_at IS NOT NULL AND status IN ('subscribed', 'unsubscribed', 'cleaned', 'archived'));

-- Only who could be reached before can leave: a first version that is gone counts when the contact had joined.
CREATE OR REPLACE VIEW mailchimp_departures AS
SELECT
    list_id,
    contact_key,
    changed_at AS happened_at,
    status,
    CASE status
        WHEN 'unsubscribed' THEN coalesce(unsubscribe_reason, 'No reason given')
        WHEN 'cleaned' THEN 'Bounced'
        ELSE 'Archived'
    END AS reason
FROM mailchimp_status_changes
WHERE status IN ('unsubscribed', 'cleaned', 'archived')
    AND (was = 'subscribed' OR (was IS NULL AND joined_at IS NOT NULL));

CREATE OR REPLACE VIEW mailchimp_growth AS
SELECT list_id, month, sum(joined) AS joined, sum(departed) AS departed, sum(joined) - sum(departed) AS net
FROM (
    SELECT list_id, CAST(date_trunc('month', happened_at) AS DATE) AS month, 1 AS joined, 0 AS departed
    FROM mailchimp_arrivals
    UNION ALL
    SELECT list_id, CAST(date_trunc('month', happened_at) AS DATE) AS month, 0 AS joined, 1 AS departed
    FROM mailchimp_departures
) AS moves
WHERE list_id IN (SELECT list_id FROM mailchimp_audiences)
GROUP BY list_id, month;

CREATE OR REPLACE VIEW mailchimp_departure_reasons AS
SELECT list_id, CAST(date_trunc('month', happened_at) AS DATE) AS month, status, reason, count(*) AS contacts
FROM mailchimp_departures
WHERE list_id IN (SELECT list_id FROM mailchimp_audiences)
GROUP BY list_id, CAST(date_trunc('month', happened_at) AS DATE), status, reason;
