-- Why people left each audience, in Mailchimp's words. Who was imported as unsubscribed, without a date, was never there to leave.
select
    contacts.list_id,
    lists.list_name,
    coalesce(contacts.unsubscribe_reason, 'No reason given') as reason,
    count(*) as contacts,
    max(contacts.updated_at) as last_at
from {{ ref('stg_contacts') }} as contacts
inner join {{ ref('stg_lists') }} as lists on lists.list_id = contacts.list_id
where contacts.status = 'unsubscribed' and contacts.joined_at is not null and not lists.is_deleted
group by contacts.list_id, lists.list_name, coalesce(contacts.unsubscribe_reason, 'No reason given')
