-- How many contacts of each audience an email can reach, and where the others are. Audiences without contacts are in it too.
select
    lists.list_id,
    lists.list_name,
    count(contacts.contact_id) as contacts,
    sum(case when contacts.status = 'subscribed' then 1 else 0 end) as subscribed,
    sum(case when contacts.status = 'pending' then 1 else 0 end) as pending,
    sum(case when contacts.status = 'transactional' then 1 else 0 end) as transactional,
    sum(case when contacts.status = 'unsubscribed' then 1 else 0 end) as unsubscribed,
    sum(case when contacts.status = 'cleaned' then 1 else 0 end) as cleaned,
    sum(case when contacts.status = 'archived' then 1 else 0 end) as archived,
    round(100.0 * sum(case when contacts.status = 'subscribed' then 1 else 0 end) / nullif(count(contacts.contact_id), 0), 1) as reachable_percent
from {{ ref('stg_lists') }} as lists
left join {{ ref('stg_contacts') }} as contacts on contacts.list_id = lists.list_id
where not lists.is_deleted
group by lists.list_id, lists.list_name
