-- The event store. Every key begins with the tenant.

-- Where each tenant's history ends.
create table tenant_heads (
    tenant text not null primary key,
    last_position integer not null check (last_position >= 0),
    head_hash blob not null check (length(head_hash) = 32)
) strict;

create table events (
    tenant text not null,
    position integer not null check (position > 0),
    stream text not null,
    version integer not null check (version > 0),
    event_id blob not null check (length(event_id) = 16),
    event_type text not null,
    recorded_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    effective_date text not null, -- ISO 8601
    payload blob not null, -- JSON, exactly as hashed
    metadata blob not null, -- JSON, exactly as hashed
    hash blob not null check (length(hash) = 32),
    constraint events_position primary key (tenant, position),
    constraint events_version unique (tenant, stream, version),
    constraint events_event_id unique (tenant, event_id)
) strict;

-- The answers that a repeated request gets again. They commit with the events.
create table idempotency (
    tenant text not null,
    key text not null,
    fingerprint blob not null check (length(fingerprint) = 32),
    answer blob not null,
    position integer not null,
    created_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    constraint idempotency_key primary key (tenant, key)
) strict;

-- For the purge, which is the only statement that looks across tenants.
create index idempotency_created_at on idempotency (created_at);
