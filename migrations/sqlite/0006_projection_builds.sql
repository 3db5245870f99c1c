-- Views get builds, so that one can be rebuilt beside the one that is shown; and tenants get leases, so that hosts share
-- the work. A view holds nothing of its own: those that were there are computed again.

drop table invoice_list;
drop table projection_checkpoints;
drop table projection_failures;

-- How far a build of a view has come. Moves in the transaction that writes the view.
create table projection_checkpoints (
    tenant text not null,
    projection text not null,
    build integer not null check (build >= 0),
    position integer not null check (position >= 0),
    live integer not null check (live in (0, 1)), -- whether this is the build that is shown
    primary key (tenant, projection, build)
) strict;

create unique index projection_checkpoints_live on projection_checkpoints (tenant, projection) where live;

-- An event that a projection could not take. It stops that projection for that tenant until the row is gone.
create table projection_failures (
    tenant text not null,
    projection text not null,
    position integer not null check (position > 0),
    error text not null,
    failed_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    primary key (tenant, projection)
) strict;

-- Which host works on a tenant's view, and until when if it is not heard of again.
create table projection_leases (
    tenant text not null,
    projection text not null,
    host blob not null check (length(host) = 16),
    expires_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    primary key (tenant, projection)
) strict;

create table invoice_list (
    tenant text not null,
    build integer not null,
    id text not null,
    status text not null,
    number text, -- null until issued
    customer_name text not null,
    tax_date text, -- ISO 8601
    currency text not null,
    payable text, -- decimal, null until computed
    version integer not null,
    position integer not null,
    created_position integer not null,
    primary key (tenant, build, id)
) strict;

create index invoice_list_created on invoice_list (tenant, build, created_position);
create index invoice_list_status on invoice_list (tenant, build, status, created_position);
