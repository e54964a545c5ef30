select
    id as list_id,
    name as list_name,
    created_at,
    double_optin,
    coalesce(is_deleted, false) as is_deleted
from {{ source('mailchimp', 'lists') }}
