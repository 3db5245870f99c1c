-- WebAssembly components, named by what they contain. They belong to the platform, not to a tenant.
create table components (
    digest blob not null primary key check (length(digest) = 32), -- sha-256 of the bytes
    bytes blob not null
) strict;
