-- Each contact as it is now, with its audience. Archived contacts are not in it.
select
    contacts.list_id,
    lists.list_name,
    contacts.contact_id,
    contacts.email,
    contacts.first_name,
    contacts.last_name,
    contacts.status,
    contacts.status = 'subscribed' as is_reachable,
    contacts.vip,
    contacts.language,
    coalesce(tags.tag_count, 0) as tag_count,
    contacts.joined_at,
    contacts.updated_at
from {{ ref('stg_contacts') }} as contacts
inner join {{ ref('stg_lists') }} as lists on lists.list_id = contacts.list_id
left join (
    select list_id, contact_id, count(*) as tag_count
    from {{ ref('stg_contact_tags') }}
    group by list_id, contact_id
) as tags on tags.list_id = contacts.list_id and tags.contact_id = contacts.contact_id
where not contacts.is_deleted and not lists.is_deleted
