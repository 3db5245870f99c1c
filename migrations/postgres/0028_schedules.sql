-- The list of schedules.

create table schedules (
    tenant text collate "C" not null,
    build bigint not null,
    id text collate "C" not null, -- UUID
    version bigint not null,
    name text not null,
    kind text collate "C" not null,
    status text collate "C" not null,
    starts text collate "C" not null, -- ISO 8601
    until text collate "C", -- ISO 8601
    created_position bigint not null,
    primary key (tenant, build, id)
);

create index schedules_created on schedules (tenant, build, created_position);

select niyam_protect('schedules', 'select, insert, update, delete');
