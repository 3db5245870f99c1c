-- The list of schedules.

create table schedules (
    tenant text not null,
    build integer not null,
    id text not null, -- UUID
    version integer not null,
    name text not null,
    kind text not null,
    status text not null,
    starts text not null, -- ISO 8601
    until text, -- ISO 8601
    created_position integer not null,
    primary key (tenant, build, id)
) strict, without rowid;

create index schedules_created on schedules (tenant, build, created_position);
