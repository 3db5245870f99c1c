-- What activations in shadow answered beside the answers in the books. Computed from events: not part of the books, and
-- a backup does not carry it.

create table shadows (
    tenant text not null,
    number integer not null, -- of the activation
    position integer not null, -- up to which events were looked at
    counts text not null, -- JSON
    found integer not null, -- how many differences there were
    primary key (tenant, number)
) strict;

-- Its last differences. No personal data: they name an event, sums and codes.
create table shadow_differences (
    tenant text not null,
    number integer not null,
    serial integer not null, -- 1, 2, 3 … in the order found
    detail text not null, -- JSON
    primary key (tenant, number, serial)
) strict;
