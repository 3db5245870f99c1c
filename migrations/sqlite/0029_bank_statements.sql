-- Bank statements beside the ledger: their lines, and which lines of the books they are.

create table bank_statements (
    tenant text not null,
    build integer not null,
    statement text not null, -- UUID
    version integer not null,
    account text not null,
    currency text not null,
    format text not null,
    number text,
    starts text not null, -- ISO 8601
    ends text not null,
    opening integer not null, -- ten-thousandths
    closing integer not null,
    lines integer not null,
    matched integer not null, -- how many of them
    created_position integer not null,
    primary key (tenant, build, statement)
) strict, without rowid;

create index bank_statements_created on bank_statements (tenant, build, created_position);
create index bank_statements_account on bank_statements (tenant, build, account, currency, ends, created_position);

create table bank_lines (
    tenant text not null,
    build integer not null,
    statement text not null,
    line integer not null, -- the first is 0
    date text not null,
    amount integer not null, -- ten-thousandths, above zero where money came in
    matched integer not null, -- 1 when it is
    primary key (tenant, build, statement, line)
) strict, without rowid;

create table bank_matches (
    tenant text not null,
    build integer not null,
    entry text not null, -- of the books
    entry_line integer not null,
    statement text not null,
    line integer not null,
    primary key (tenant, build, entry, entry_line)
) strict, without rowid;

create index bank_matches_line on bank_matches (tenant, build, statement, line);
