-- Read models: computed from events alone, can be dropped and rebuilt.

-- How far a projection has come. Moves in the transaction that writes the view.
create table projection_checkpoints (
    tenant text collate "C" not null,
    projection text collate "C" not null,
    position bigint not null check (position >= 0),
    primary key (tenant, projection)
);

-- An event that a projection could not take. It stops that projection for that tenant.
create table projection_failures (
    tenant text collate "C" not null,
    projection text collate "C" not null,
    position bigint not null check (position > 0),
    error text not null,
    failed_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    primary key (tenant, projection)
);

create table invoice_list (
    tenant text collate "C" not null,
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
    primary key (tenant, id)
);

create index invoice_list_created on invoice_list (tenant, created_position);
create index invoice_list_status on invoice_list (tenant, status, created_position);
