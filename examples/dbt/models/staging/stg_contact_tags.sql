-- One row for each tag of each contact. Arrays are the one thing that warehouses spell differently: see macros/unnest_tags.sql.
{{ unnest_tags(ref('stg_contacts')) }}
