-- How many contacts of each audience have which status. Only subscribed contacts get campaigns. Portable SQL.
CREATE OR REPLACE VIEW mailchimp_reachability AS
SELECT
    audience.list_id,
    audience.name AS audience,
    audience.double_optin,
    contact.status,
    count(contact.contact_key) AS contacts,
    contact.status = 'subscribed' AS reachable
FROM mailchimp_audiences AS audience
LEFT JOIN mailchimp_contacts AS contact ON contact.list_id = audience.list_id
GROUP BY audience.list_id, audience.name, audience.double_optin, contact.status;
