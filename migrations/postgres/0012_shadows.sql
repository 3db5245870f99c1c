-- What activations in shadow answered beside the answers in the books. Computed from events: not part of the books, and
-- a backup does not carry it.

create table shadows (
    tenant text collate "C" not null,
    number bigint not null, -- of the activation
    position bigint not null, -- up to which events were looked at
    counts text not null, -- JSON
    found bigint not null, -- how many differences there were
    primary key (tenant, number)
);

-- Its last differences. No personal data: they name an event, sums and codes.
create table shadow_differences (
    tenant text collate "C" not null,
    number bigint not null,
    serial bigint not null, -- 1, 2, 3 … in the order found
    detail text not null, -- JSON
    primary key (tenant, number, serial)
);

select niyam_protect('shadows', 'select, insert, update');
select niyam_protect('shadow_differences', 'select, insert, delete');
