-- Bank statements beside the ledger: their lines, and which lines of the books they are.

create table bank_statements (
    tenant text collate "C" not null,
    build bigint not null,
    statement text collate "C" not null, -- UUID
    version bigint not null,
    account text collate "C" not null,
    currency text collate "C" not null,
    format text collate "C" not null,
    number text,
    starts text collate "C" not null, -- ISO 8601
    ends text collate "C" not null,
    opening bigint not null, -- ten-thousandths
    closing bigint not null,
    lines bigint not null,
    matched bigint not null, -- how many of them
    created_position bigint not null,
    primary key (tenant, build, statement)
);

create index bank_statements_created on bank_statements (tenant, build, created_position);
create index bank_statements_account on bank_statements (tenant, build, account, currency, ends, created_position);

create table bank_lines (
    tenant text collate "C" not null,
    build bigint not null,
    statement text collate "C" not null,
    line bigint not null, -- the first is 0
    date text collate "C" not null,
    amount bigint not null, -- ten-thousandths, above zero where money came in
    matched bigint not null, -- 1 when it is
    primary key (tenant, build, statement, line)
);

create table bank_matches (
    tenant text collate "C" not null,
    build bigint not null,
    entry text collate "C" not null, -- of the books
    entry_line bigint not null,
    statement text collate "C" not null,
    line bigint not null,
    primary key (tenant, build, entry, entry_line)
);

create index bank_matches_line on bank_matches (tenant, build, statement, line);

select niyam_protect('bank_statements', 'select, insert, update, delete');
select niyam_protect('bank_lines', 'select, insert, update, delete');
select niyam_protect('bank_matches', 'select, insert, update, delete');
