-- The statuses of an audience add up to its contacts, and its reachable contacts are those of contacts_current.
select reachability.list_id
from {{ ref('reachability') }} as reachability
left join (
    select list_id, count(*) as reachable
    from {{ ref('contacts_current') }}
    where is_reachable
    group by list_id
) as current_contacts on current_contacts.list_id = reachability.list_id
where
    subscribed + pending + transactional + unsubscribed + cleaned + archived <> contacts
    or subscribed <> coalesce(reachable, 0)
