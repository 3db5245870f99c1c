-- The list of payments. A projection: computed from events again whenever that is asked for.

create table payment_list (
    tenant text collate "C" not null,
    build bigint not null,
    id text collate "C" not null,
    direction text collate "C" not null,
    method text collate "C" not null,
    status text collate "C" not null,
    cheque text collate "C", -- where its cheque lies
    date text collate "C" not null, -- ISO 8601; the day for which it counts
    currency text collate "C" not null,
    amount text not null, -- decimal
    party text collate "C" not null, -- the name of the key that its data are under; where they were never sealed, its id
    party_name text not null, -- of nobody where it is sealed
    party_sealed text, -- the party as the event has it
    version bigint not null,
    created_position bigint not null,
    primary key (tenant, build, id)
);

create unique index payment_list_created on payment_list (tenant, build, created_position);
create index payment_list_party on payment_list (tenant, build, party, created_position);

select niyam_protect('payment_list', 'select, insert, update, delete');
