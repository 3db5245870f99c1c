-- Long work that a tenant asked for: verifications and simulations. Not part of the books; a backup does not carry it.

create table jobs (
    tenant text not null,
    id text not null, -- UUID
    kind text not null check (kind in ('verification', 'simulation')),
    state text not null check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
    request text not null, -- JSON
    requested_by text not null,
    key text, -- of idempotency
    fingerprint blob check (length(fingerprint) = 32), -- of the request that the key came with
    created_at integer not null, -- microseconds since 1970-01-01T00:00:00Z, as are all here
    started_at integer,
    ended_at integer,
    attempts integer not null, -- how often it was begun
    done integer not null, -- positions gone through
    total integer not null,
    result text, -- JSON
    problem text, -- code
    host blob check (length(host) = 16), -- which works on it
    lease_until integer, -- when another host may take it
    primary key (tenant, id)
) strict;

create unique index jobs_key on jobs (tenant, key) where key is not null;
create index jobs_created on jobs (tenant, created_at);
create index jobs_unfinished on jobs (tenant, created_at) where state in ('queued', 'running');

-- What a job found, each at a position of the tenant's history.
create table job_differences (
    tenant text not null,
    job text not null,
    position integer not null,
    item integer not null, -- several may be at one position
    detail text not null, -- JSON
    primary key (tenant, job, position, item)
) strict;
