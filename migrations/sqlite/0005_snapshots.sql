-- States of aggregates at a version of their stream, one per stream. Computed from events alone, can be dropped.
create table snapshots (
    tenant text not null,
    stream text not null,
    version integer not null check (version > 0),
    schema_hash blob not null check (length(schema_hash) = 32),
    seal blob not null check (length(seal) = 32), -- sha-256 over all of it and the hash of the event at this version
    state blob not null, -- JSON
    recorded_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    constraint snapshots_stream primary key (tenant, stream)
) strict;

-- For reading by event type.
create index events_type on events (tenant, event_type, position);
