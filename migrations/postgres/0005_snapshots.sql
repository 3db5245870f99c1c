-- States of aggregates at a version of their stream, one per stream. Computed from events alone, can be dropped.
create table snapshots (
    tenant text collate "C" not null,
    stream text collate "C" not null,
    version bigint not null check (version > 0),
    schema_hash bytea not null check (octet_length(schema_hash) = 32),
    seal bytea not null check (octet_length(seal) = 32), -- sha-256 over all of it and the hash of the event at this version
    state bytea not null, -- JSON
    recorded_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    constraint snapshots_stream primary key (tenant, stream)
);

-- For reading by event type.
create index events_type on events (tenant, event_type, position);

select niyam_protect('snapshots', 'select, insert, update, delete');
