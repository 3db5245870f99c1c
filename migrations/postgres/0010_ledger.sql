-- What reports are read from: posted entries and their lines, their sums by day, what is open of documents, and the
-- taxes of issued documents. A projection: computed from events again whenever that is asked for.
--
-- Amounts of lines are whole numbers of ten-thousandths, which holds every currency of ISO 4217. Their sums are split at
-- 10^9, so that no sum is out of range: high * 10^9 + low.

create table ledger_entries (
    tenant text collate "C" not null,
    build bigint not null,
    entry text collate "C" not null,
    position bigint not null,
    recorded_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    date text collate "C" not null, -- ISO 8601
    description text not null,
    reference text,
    source_kind text collate "C", -- the document that it is of
    source_id text collate "C",
    reverses text collate "C", -- the entry that it takes back
    closing bigint not null check (closing in (0, 1)), -- whether it moves a year's result into equity
    primary key (tenant, build, entry)
);

create index ledger_entries_source on ledger_entries (tenant, build, source_id) where source_id is not null;
create index ledger_entries_reverses on ledger_entries (tenant, build, reverses) where reverses is not null;

create table ledger_lines (
    tenant text collate "C" not null,
    build bigint not null,
    account text collate "C" not null,
    date text collate "C" not null, -- ISO 8601
    position bigint not null,
    line bigint not null, -- its place in the entry
    recorded_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    entry text collate "C" not null,
    currency text collate "C" not null,
    debit bigint not null,
    credit bigint not null,
    closing bigint not null check (closing in (0, 1)),
    memo text,
    dimensions text, -- JSON, null when there are none
    primary key (tenant, build, account, date, position, line)
);

create index ledger_lines_recorded on ledger_lines (tenant, build, recorded_at);

-- Sums of an account's lines for a day, of those that were recorded on a day.
create table ledger_days (
    tenant text collate "C" not null,
    build bigint not null,
    account text collate "C" not null,
    currency text collate "C" not null,
    date text collate "C" not null, -- ISO 8601
    recorded_on text collate "C" not null, -- ISO 8601, in UTC
    closing bigint not null check (closing in (0, 1)),
    debit_high bigint not null,
    debit_low bigint not null,
    credit_high bigint not null,
    credit_low bigint not null,
    primary key (tenant, build, account, currency, date, recorded_on, closing)
);

-- The lines that bear a dimension, for reports that are cut by it.
create table ledger_dimensions (
    tenant text collate "C" not null,
    build bigint not null,
    name text collate "C" not null,
    value text collate "C" not null,
    account text collate "C" not null,
    date text collate "C" not null, -- ISO 8601
    position bigint not null,
    line bigint not null,
    recorded_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    currency text collate "C" not null,
    debit bigint not null,
    credit bigint not null,
    closing bigint not null check (closing in (0, 1)),
    primary key (tenant, build, name, value, account, date, position, line)
);

-- Documents that a party owes, or is owed. What is open of one is the sum of its moves.
create table open_items (
    tenant text collate "C" not null,
    build bigint not null,
    item text collate "C" not null, -- the document
    side text collate "C" not null check (side in ('receivable', 'payable')),
    kind text collate "C" not null, -- of the document
    number text not null,
    date text collate "C" not null, -- ISO 8601
    due text collate "C" not null, -- ISO 8601; its date, since no document names another day
    currency text collate "C" not null,
    total bigint not null, -- ten-thousandths, as posted
    party text collate "C" not null, -- the name of the key that its data are under; where they were never sealed, its id
    party_name text not null, -- of nobody where it is sealed
    party_sealed text, -- the party as the event has it
    stream text collate "C" not null, -- the event's
    primary key (tenant, build, item)
);

create index open_items_party on open_items (tenant, build, side, party);

create table open_item_moves (
    tenant text collate "C" not null,
    build bigint not null,
    item text collate "C" not null,
    position bigint not null,
    recorded_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    date text collate "C" not null, -- ISO 8601
    kind text collate "C" not null, -- invoice, and what reduces it
    source text collate "C" not null, -- the document that moves it
    amount bigint not null, -- ten-thousandths; what is owed more, below zero what is owed less
    primary key (tenant, build, item, position)
);

-- Taxes of issued documents, one row for each code, rate and effect.
create table tax_items (
    tenant text collate "C" not null,
    build bigint not null,
    date text collate "C" not null, -- ISO 8601
    document text collate "C" not null,
    code text collate "C" not null,
    rate text collate "C" not null, -- percent, empty for an amount per unit
    effect text collate "C" not null,
    recoverable bigint not null check (recoverable in (0, 1)),
    direction text collate "C" not null check (direction in ('sale', 'purchase')),
    currency text collate "C" not null,
    recorded_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    base text not null, -- decimal, as exact as the module said
    amount text not null,
    primary key (tenant, build, date, document, code, rate, effect, recoverable)
);

select niyam_protect('ledger_entries', 'select, insert, update, delete');
select niyam_protect('ledger_lines', 'select, insert, update, delete');
select niyam_protect('ledger_days', 'select, insert, update, delete');
select niyam_protect('ledger_dimensions', 'select, insert, update, delete');
select niyam_protect('open_items', 'select, insert, update, delete');
select niyam_protect('open_item_moves', 'select, insert, update, delete');
select niyam_protect('tax_items', 'select, insert, update, delete');
