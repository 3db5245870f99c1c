-- Read models: computed from events alone, can be dropped and rebuilt.

-- How far a projection has come. Moves in the transaction that writes the view.
create table projection_checkpoints (
    tenant text not null,
    projection text not null,
    position integer not null check (position >= 0),
    primary key (tenant, projection)
) strict;

-- An event that a projection could not take. It stops that projection for that tenant.
create table projection_failures (
    tenant text not null,
    projection text not null,
    position integer not null check (position > 0),
    error text not null,
    failed_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    primary key (tenant, projection)
) strict;

create table invoice_list (
    tenant text not null,
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
    primary key (tenant, id)
) strict;

create index invoice_list_created on invoice_list (tenant, created_position);
create index invoice_list_status on invoice_list (tenant, status, created_position);
