-- Which documents count for the taxes of which days: what registers and returns are drawn from.

create table tax_documents (
    tenant text collate "C" not null,
    build bigint not null,
    tax_date text collate "C" not null, -- ISO 8601
    position bigint not null, -- of the event that issued it
    primary key (tenant, build, tax_date, position)
);

select niyam_protect('tax_documents', 'select, insert, update, delete');
