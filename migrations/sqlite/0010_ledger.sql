-- What reports are read from: posted entries and their lines, their sums by day, what is open of documents, and the
-- taxes of issued documents. A projection: computed from events again whenever that is asked for.
--
-- Amounts of lines are whole numbers of ten-thousandths, which holds every currency of ISO 4217. Their sums are split at
-- 10^9, so that no sum is out of range: high * 10^9 + low.

create table ledger_entries (
    tenant text not null,
    build integer not null,
    entry text not null,
    position integer not null,
    recorded_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    date text not null, -- ISO 8601
    description text not null,
    reference text,
    source_kind text, -- the document that it is of
    source_id text,
    reverses text, -- the entry that it takes back
    closing integer not null check (closing in (0, 1)), -- whether it moves a year's result into equity
    primary key (tenant, build, entry)
) strict;

create index ledger_entries_source on ledger_entries (tenant, build, source_id) where source_id is not null;
create index ledger_entries_reverses on ledger_entries (tenant, build, reverses) where reverses is not null;

create table ledger_lines (
    tenant text not null,
    build integer not null,
    account text not null,
    date text not null, -- ISO 8601
    position integer not null,
    line integer not null, -- its place in the entry
    recorded_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    entry text not null,
    currency text not null,
    debit integer not null,
    credit integer not null,
    closing integer not null check (closing in (0, 1)),
    memo text,
    dimensions text, -- JSON, null when there are none
    primary key (tenant, build, account, date, position, line)
) strict, without rowid;

create index ledger_lines_recorded on ledger_lines (tenant, build, recorded_at);

-- Sums of an account's lines for a day, of those that were recorded on a day.
create table ledger_days (
    tenant text not null,
    build integer not null,
    account text not null,
    currency text not null,
    date text not null, -- ISO 8601
    recorded_on text not null, -- ISO 8601, in UTC
    closing integer not null check (closing in (0, 1)),
    debit_high integer not null,
    debit_low integer not null,
    credit_high integer not null,
    credit_low integer not null,
    primary key (tenant, build, account, currency, date, recorded_on, closing)
) strict, without rowid;

-- The lines that bear a dimension, for reports that are cut by it.
create table ledger_dimensions (
    tenant text not null,
    build integer not null,
    name text not null,
    value text not null,
    account text not null,
    date text not null, -- ISO 8601
    position integer not null,
    line integer not null,
    recorded_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    currency text not null,
    debit integer not null,
    credit integer not null,
    closing integer not null check (closing in (0, 1)),
    primary key (tenant, build, name, value, account, date, position, line)
) strict, without rowid;

-- Documents that a party owes, or is owed. What is open of one is the sum of its moves.
create table open_items (
    tenant text not null,
    build integer not null,
    item text not null, -- the document
    side text not null check (side in ('receivable', 'payable')),
    kind text not null, -- of the document
    number text not null,
    date text not null, -- ISO 8601
    due text not null, -- ISO 8601; its date, since no document names another day
    currency text not null,
    total integer not null, -- ten-thousandths, as posted
    party text not null, -- the name of the key that its data are under; where they were never sealed, its id
    party_name text not null, -- of nobody where it is sealed
    party_sealed text, -- the party as the event has it
    stream text not null, -- the event's
    primary key (tenant, build, item)
) strict;

create index open_items_party on open_items (tenant, build, side, party);

create table open_item_moves (
    tenant text not null,
    build integer not null,
    item text not null,
    position integer not null,
    recorded_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    date text not null, -- ISO 8601
    kind text not null, -- invoice, and what reduces it
    source text not null, -- the document that moves it
    amount integer not null, -- ten-thousandths; what is owed more, below zero what is owed less
    primary key (tenant, build, item, position)
) strict;

-- Taxes of issued documents, one row for each code, rate and effect.
create table tax_items (
    tenant text not null,
    build integer not null,
    date text not null, -- ISO 8601
    document text not null,
    code text not null,
    rate text not null, -- percent, empty for an amount per unit
    effect text not null,
    recoverable integer not null check (recoverable in (0, 1)),
    direction text not null check (direction in ('sale', 'purchase')),
    currency text not null,
    recorded_at integer not null, -- microseconds since 1970-01-01T00:00:00Z
    base text not null, -- decimal, as exact as the module said
    amount text not null,
    primary key (tenant, build, date, document, code, rate, effect, recoverable)
) strict, without rowid;
