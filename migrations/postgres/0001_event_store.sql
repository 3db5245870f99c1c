-- The event store. Every key begins with the tenant.

-- Where each tenant's history ends. The row's lock orders a tenant's appends.
create table tenant_heads (
    tenant text collate "C" not null primary key,
    last_position bigint not null check (last_position >= 0),
    head_hash bytea not null check (octet_length(head_hash) = 32)
);

create table events (
    tenant text collate "C" not null,
    position bigint not null check (position > 0),
    stream text collate "C" not null,
    version bigint not null check (version > 0),
    event_id bytea not null check (octet_length(event_id) = 16),
    event_type text collate "C" not null,
    recorded_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    effective_date text collate "C" not null, -- ISO 8601
    payload bytea not null, -- JSON, exactly as hashed
    metadata bytea not null, -- JSON, exactly as hashed
    hash bytea not null check (octet_length(hash) = 32),
    constraint events_position primary key (tenant, position),
    constraint events_version unique (tenant, stream, version),
    constraint events_event_id unique (tenant, event_id)
);

-- The answers that a repeated request gets again. They commit with the events.
create table idempotency (
    tenant text collate "C" not null,
    key text collate "C" not null,
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    answer bytea not null,
    position bigint not null,
    created_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    constraint idempotency_key primary key (tenant, key)
);

-- For the purge, which is the only statement that looks across tenants.
create index idempotency_created_at on idempotency (created_at);
