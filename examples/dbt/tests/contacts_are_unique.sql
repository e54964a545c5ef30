-- A contact is in an audience once.
select list_id, contact_id
from {{ ref('contacts_current') }}
group by list_id, contact_id
having count(*) > 1
