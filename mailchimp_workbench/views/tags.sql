-- How many contacts carry each tag, archived ones left out, and how many of them can be reached. Portable SQL.
CREATE OR REPLACE VIEW mailchimp_tag_sizes AS
SELECT
    tagged.list_id,
    tagged.tag,
    count(*) AS contacts,
    sum(CASE WHEN tagged.status = 'subscribed' THEN 1 ELSE 0 END) AS reachable
FROM mailchimp_contact_tags AS tagged
WHERE tagged.status <> 'archived'
GROUP BY tagged.list_id, tagged.tag;
