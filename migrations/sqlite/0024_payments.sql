-- The list of payments. A projection: computed from events again whenever that is asked for.

create table payment_list (
    tenant text not null,
    build integer not null,
    id text not null,
    direction text not null,
    method text not null,
    status text not null,
    cheque text, -- where its cheque lies
    date text not null, -- ISO 8601; the day for which it counts
    currency text not null,
    amount text not null, -- decimal
    party text not null, -- the name of the key that its data are under; where they were never sealed, its id
    party_name text not null, -- of nobody where it is sealed
    party_sealed text, -- the party as the event has it
    version integer not null,
    created_position integer not null,
    primary key (tenant, build, id)
) strict, without rowid;

create unique index payment_list_created on payment_list (tenant, build, created_position);
create index payment_list_party on payment_list (tenant, build, party, created_position);
