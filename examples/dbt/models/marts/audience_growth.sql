-- Who joined and who left each audience, by day.
-- A table deduplicated by key knows the day of the last change only: somebody who left and came back counts as joined once.
-- Who has to confirm has not joined yet; who has no date was imported without one.
with moves as (
    select list_id, cast(joined_at as date) as day, 1 as joined, 0 as gone
    from {{ ref('stg_contacts') }}
    where joined_at is not null and status in ('subscribed', 'unsubscribed', 'cleaned', 'archived')
    union all
    select list_id, cast(updated_at as date) as day, 0 as joined, 1 as gone
    from {{ ref('stg_contacts') }}
    where joined_at is not null and status in ('unsubscribed', 'cleaned', 'archived')
),

days as (
    select list_id, day, sum(joined) as joined, sum(gone) as gone
    from moves
    group by list_id, day
)

select
    days.list_id,
    lists.list_name,
    days.day,
    days.joined,
    days.gone,
    days.joined - days.gone as net,
    sum(days.joined - days.gone) over (partition by days.list_id order by days.day) as net_total
from days
inner join {{ ref('stg_lists') }} as lists on lists.list_id = days.list_id
where not lists.is_deleted
