-- Why people left each audience, in Mailchimp's words.
select
    contacts.list_id,
    lists.list_name,
    coalesce(contacts.unsubscribe_reason, 'not given') as reason,
    count(*) as contacts,
    max(contacts.updated_at) as last_at
from {{ ref('stg_contacts') }} as contacts
inner join {{ ref('stg_lists') }} as lists on lists.list_id = contacts.list_id
where contacts.status = 'unsubscribed'
group by contacts.list_id, lists.list_name, coalesce(contacts.unsubscribe_reason, 'not given')
