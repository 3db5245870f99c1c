-- Which documents count for the taxes of which days: what registers and returns are drawn from.

create table tax_documents (
    tenant text not null,
    build integer not null,
    tax_date text not null, -- ISO 8601
    position integer not null, -- of the event that issued it
    primary key (tenant, build, tax_date, position)
) strict, without rowid;
