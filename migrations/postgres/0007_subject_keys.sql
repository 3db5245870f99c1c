-- The keys of data subjects: personal data lie encrypted under one, and are erased by destroying it. The row stays, so
-- that a key that is gone is told from one that is missing.
create table subject_keys (
    tenant text collate "C" not null,
    key_id bytea not null check (octet_length(key_id) = 16),
    subject bytea not null check (octet_length(subject) = 32), -- keyed digest of the subject's name
    wrapped_key bytea, -- under the master key, which is not in the database; null once destroyed
    created_at bigint not null, -- microseconds since 1970-01-01T00:00:00Z
    erased_at bigint, -- microseconds since 1970-01-01T00:00:00Z
    constraint subject_keys_id primary key (tenant, key_id),
    constraint subject_keys_erased check ((wrapped_key is null) = (erased_at is not null))
);

-- A subject has one key at a time.
create unique index subject_keys_live on subject_keys (tenant, subject) where erased_at is null;
create index subject_keys_subject on subject_keys (tenant, subject);

select niyam_protect('subject_keys', 'select, insert, update');

-- The list of invoices holds the customer as the event does: sealed.
alter table invoice_list add column customer_sealed text;
