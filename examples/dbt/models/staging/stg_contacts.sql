select
    list_id,
    id as contact_id,
    email,
    first_name,
    last_name,
    status,
    coalesce(is_deleted, false) as is_deleted,
    unsubscribe_reason,
    tags,
    vip,
    language,
    -- Mailchimp knows the sign-up only for contacts who came through a form; a confirmation counts before it.
    coalesce(timestamp_opt, timestamp_signup, created_at) as joined_at,
    updated_at
from {{ source('mailchimp', 'contacts') }}
