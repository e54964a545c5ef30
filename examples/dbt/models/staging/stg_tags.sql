select
    list_id,
    id as tag_id,
    name as tag_name,
    created_at,
    coalesce(is_deleted, false) as is_deleted
from {{ source('mailchimp', 'tags') }}
