-- Long work that a tenant asked for: verifications and simulations. Not part of the books; a backup does not carry it.

create table jobs (
    tenant text collate "C" not null,
    id text collate "C" not null, -- UUID
    kind text collate "C" not null check (kind in ('verification', 'simulation')),
    state text collate "C" not null check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
    request text not null, -- JSON
    requested_by text not null,
    key text collate "C", -- of idempotency
    fingerprint bytea check (octet_length(fingerprint) = 32), -- of the request that the key came with
    created_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z, as are all here
    started_at bigint,
    ended_at bigint,
    attempts bigint not null, -- how often it was begun
    done bigint not null, -- positions gone through
    total bigint not null,
    result text, -- JSON
    problem text collate "C", -- code
    host bytea check (octet_length(host) = 16), -- which works on it
    lease_until bigint, -- when another host may take it
    primary key (tenant, id)
);

create unique index jobs_key on jobs (tenant, key) where key is not null;
create index jobs_created on jobs (tenant, created_at);
create index jobs_unfinished on jobs (tenant, created_at) where state in ('queued', 'running');

-- What a job found, each at a position of the tenant's history.
create table job_differences (
    tenant text collate "C" not null,
    job text collate "C" not null,
    position bigint not null,
    item bigint not null, -- several may be at one position
    detail text not null, -- JSON
    primary key (tenant, job, position, item)
);

select niyam_protect('jobs', 'select, insert, update, delete');
select niyam_protect('job_differences', 'select, insert, update, delete');
