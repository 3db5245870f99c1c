-- Modules that were uploaded, who signed them, and whom the operator trusts. They belong to the platform, by digest;
-- which tenant brought a module is the tenant's.

create table publishers (
    key_id text collate "C" not null primary key, -- first 16 hex digits of the sha-256 of the public key
    name text not null,
    public_key bytea not null check (octet_length(public_key) = 32), -- ed25519
    added_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    revoked_at bigint -- likewise; null while it is trusted
);

create table modules (
    digest bytea not null primary key check (octet_length(digest) = 32), -- sha-256 of the component
    state text collate "C" not null check (state in ('queued', 'compiling', 'ready', 'refused')),
    bytes bigint not null,
    report text, -- JSON: what it says of itself when ready, why when refused
    queued_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    host bytea check (octet_length(host) = 16), -- who compiles it
    host_until bigint, -- until when, if it is not heard of again
    attempts bigint not null default 0 -- how often a host began to compile it
);

create index modules_state on modules (state, queued_at);

create table module_signatures (
    digest bytea not null check (octet_length(digest) = 32),
    key_id text collate "C" not null,
    signature bytea not null check (octet_length(signature) = 64),
    primary key (digest, key_id)
);

create table module_uploads (
    tenant text collate "C" not null,
    digest bytea not null check (octet_length(digest) = 32),
    uploaded_by text not null,
    uploaded_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    primary key (tenant, digest)
);

grant select, insert, update on publishers to niyam_host;
grant select, insert, update on modules to niyam_host;
grant select, insert on module_signatures to niyam_host;
select niyam_protect('module_uploads', 'select, insert');
