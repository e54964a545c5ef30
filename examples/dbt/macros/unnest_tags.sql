{#-
One row for each element of the array `tags`, whose elements are {id, name}: list_id, contact_id, status, tag_id, tag_name.

Arrays are what warehouses spell differently. This is how DuckDB does. For another one, add a macro ADAPTER__unnest_tags to your project:
BigQuery has unnest(json_query_array(tags)), Snowflake lateral flatten(input => tags), PostgreSQL jsonb_array_elements(tags).
-#}
{% macro unnest_tags(relation) %}
    {{ return(adapter.dispatch('unnest_tags', 'mailchimp_unified')(relation)) }}
{% endmacro %}

{% macro default__unnest_tags(relation) %}
select
    contacts.list_id,
    contacts.contact_id,
    contacts.status,
    contacts.tag.id as tag_id,
    contacts.tag.name as tag_name
from (
    select list_id, contact_id, status, unnest(tags) as tag
    from {{ relation }}
    where not is_deleted
) as contacts
{% endmacro %}
