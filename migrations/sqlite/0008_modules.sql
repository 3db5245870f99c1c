-- Modules that were uploaded, who signed them, and whom the operator trusts. They belong to the platform, by digest;
-- which tenant brought a module is the tenant's.

create table publishers (
    key_id text not null primary key, -- first 16 hex digits of the sha-256 of the public key
    name text not null,
    public_key blob not null check (length(public_key) = 32), -- ed25519
    added_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    revoked_at integer -- likewise; null while it is trusted
) strict;

create table modules (
    digest blob not null primary key check (length(digest) = 32), -- sha-256 of the component
    state text not null check (state in ('queued', 'compiling', 'ready', 'refused')),
    bytes integer not null,
    report text, -- JSON: what it says of itself when ready, why when refused
    queued_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    host blob check (length(host) = 16), -- who compiles it
    host_until integer, -- until when, if it is not heard of again
    attempts integer not null default 0 -- how often a host began to compile it
) strict;

create index modules_state on modules (state, queued_at);

create table module_signatures (
    digest blob not null check (length(digest) = 32),
    key_id text not null,
    signature blob not null check (length(signature) = 64),
    primary key (digest, key_id)
) strict;

create table module_uploads (
    tenant text not null,
    digest blob not null check (length(digest) = 32),
    uploaded_by text not null,
    uploaded_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    primary key (tenant, digest)
) strict;
