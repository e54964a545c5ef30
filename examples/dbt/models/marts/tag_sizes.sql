-- How many contacts have each tag, and how many of them an email can reach. Tags that nobody has are in it too.
select
    tags.list_id,
    lists.list_name,
    tags.tag_id,
    tags.tag_name,
    count(contact_tags.contact_id) as contacts,
    sum(case when contact_tags.status = 'subscribed' then 1 else 0 end) as subscribed
from {{ ref('stg_tags') }} as tags
inner join {{ ref('stg_lists') }} as lists on lists.list_id = tags.list_id
left join {{ ref('stg_contact_tags') }} as contact_tags
    on contact_tags.list_id = tags.list_id and contact_tags.tag_id = tags.tag_id
where not tags.is_deleted and not lists.is_deleted
group by tags.list_id, lists.list_name, tags.tag_id, tags.tag_name
