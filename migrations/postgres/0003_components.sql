-- WebAssembly components, named by what they contain. They belong to the platform, not to a tenant.
create table components (
    digest bytea not null primary key check (octet_length(digest) = 32), -- sha-256 of the bytes
    bytes bytea not null
);
