-- Writes a group of appends in one call, so in one round trip and one transaction.
--
-- The host decided on what it remembers: where each tenant's history ends, and so which versions its streams have. That
-- is so for as long as the heads have not moved, since every event moves one. Nothing is written, and false is said, if
-- a head moved, or if a stream or key of which the host remembers nothing is not as it supposed.
--
-- It does nothing that its caller may not do: policies bind it, and constraints hold it, as they do the statements of
-- the caller.
create function niyam_append(
    of_tenants text[], last_positions bigint[], head_hashes bytea[], -- whose appends; their heads, in order of tenant
    of_streams text[], streams text[], versions bigint[], -- streams that the host supposes to have these versions
    of_keys text[], keys text[], -- idempotency keys that it supposes to have no answer
    moved text[], new_positions bigint[], new_hashes bytea[], -- tenants that get events; their heads afterwards
    of_answers text[], answer_keys text[], fingerprints bytea[], answers bytea[], answer_positions bigint[],
    written_at bigint, -- microseconds since 1970-01-01T00:00:00Z
    of_events text[], positions bigint[], event_streams text[], event_versions bigint[], event_ids bytea[],
    event_types text[], effective_dates text[], payloads bytea[], event_metadata bytea[], hashes bytea[]
) returns boolean language plpgsql
-- Planned once, and never by how small a table of a new database is.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    expected bigint;
begin
    perform set_config('niyam.tenants', array_to_string(of_tenants, ','), true);

    -- A wait for a lock ends with the head as it is then. What is read by later statements is as new.
    select count(*) into expected
    from (
        select tenant, last_position, head_hash from tenant_heads where tenant = any (of_tenants)
        order by tenant for update
    ) as head
    join unnest(of_tenants, last_positions, head_hashes) as given (tenant, last_position, head_hash)
        on given.tenant = head.tenant and given.last_position = head.last_position
            and given.head_hash = head.head_hash;
    if expected <> cardinality(of_tenants) then
        return false;
    end if;

    -- Each is looked up by itself, in the index.
    if cardinality(streams) > 0 and exists (
        select from unnest(of_streams, streams, versions) as given (tenant, stream, version)
        where given.version <> coalesce((
            select events.version from events
            where events.tenant = given.tenant and events.stream = given.stream
            order by events.version desc limit 1
        ), 0)
    ) then
        return false;
    end if;
    if cardinality(keys) > 0 and exists (
        select from unnest(of_keys, keys) as given (tenant, key)
        cross join lateral (
            select from idempotency where idempotency.tenant = given.tenant and idempotency.key = given.key limit 1
        ) as found
    ) then
        return false;
    end if;

    update tenant_heads set last_position = given.position, head_hash = given.hash
    from unnest(moved, new_positions, new_hashes) as given (tenant, position, hash)
    where tenant_heads.tenant = given.tenant;
    insert into idempotency (tenant, key, fingerprint, answer, position, created_at)
    select given.*, written_at
    from unnest(of_answers, answer_keys, fingerprints, answers, answer_positions) as given;
    insert into events (tenant, position, stream, version, event_id, event_type, effective_date, payload, metadata,
        hash, recorded_at)
    select given.*, written_at
    from unnest(of_events, positions, event_streams, event_versions, event_ids, event_types, effective_dates, payloads,
        event_metadata, hashes) as given;
    return true;
end
$$;

revoke execute on function niyam_append from public;
grant execute on function niyam_append to niyam_host;
