-- Views get builds, so that one can be rebuilt beside the one that is shown; and tenants get leases, so that hosts share
-- the work. A view holds nothing of its own: those that were there are computed again.

drop table invoice_list;
drop table projection_checkpoints;
drop table projection_failures;

-- How far a build of a view has come. Moves in the transaction that writes the view.
create table projection_checkpoints (
    tenant text collate "C" not null,
    projection text collate "C" not null,
    build bigint not null check (build >= 0),
    position bigint not null check (position >= 0),
    live boolean not null, -- whether this is the build that is shown
    primary key (tenant, projection, build)
);

create unique index projection_checkpoints_live on projection_checkpoints (tenant, projection) where live;

-- An event that a projection could not take. It stops that projection for that tenant until the row is gone.
create table projection_failures (
    tenant text collate "C" not null,
    projection text collate "C" not null,
    position bigint not null check (position > 0),
    error text not null,
    failed_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    primary key (tenant, projection)
);

-- Which host works on a tenant's view, and until when if it is not heard of again.
create table projection_leases (
    tenant text collate "C" not null,
    projection text collate "C" not null,
    host bytea not null check (octet_length(host) = 16),
    expires_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    primary key (tenant, projection)
);

create table invoice_list (
    tenant text collate "C" not null,
    build bigint not null,
    id text collate "C" not null,
    status text collate "C" not null,
    number text, -- null until issued
    customer_name text not null,
    tax_date text collate "C", -- ISO 8601
    currency text collate "C" not null,
    payable text collate "C", -- decimal, null until computed
    version bigint not null,
    position bigint not null,
    created_position bigint not null,
    primary key (tenant, build, id)
);

create index invoice_list_created on invoice_list (tenant, build, created_position);
create index invoice_list_status on invoice_list (tenant, build, status, created_position);

select niyam_protect('projection_checkpoints', 'select, insert, update, delete');
select niyam_protect('projection_failures', 'select, insert, update, delete');
select niyam_protect('projection_leases', 'select, insert, update, delete');
select niyam_protect('invoice_list', 'select, insert, update, delete');
