-- Jobs that close and reopen fiscal years: which kinds of jobs there are is the program's business.

create table jobs_of_any_kind (
    tenant text not null,
    id text not null, -- UUID
    kind text not null,
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

insert into jobs_of_any_kind select * from jobs;
drop table jobs;
alter table jobs_of_any_kind rename to jobs;

create unique index jobs_key on jobs (tenant, key) where key is not null;
create index jobs_created on jobs (tenant, created_at);
create index jobs_unfinished on jobs (tenant, created_at) where state in ('queued', 'running');
