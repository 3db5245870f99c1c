-- A host works as a role that owns nothing, sees only the tenants that its transaction names, and can neither change nor
-- delete an event.

do $$
begin
    if not exists (select from pg_roles where rolname = 'niyam_host') then
        create role niyam_host nologin;
    end if;
exception
    -- Another database of the cluster made it at the same time.
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    if not pg_has_role(current_user, 'niyam_host', 'member') then
        execute format('grant niyam_host to %I', current_user);
    end if;
end
$$;

-- Puts a table under the policy. The setting names tenants, separated by commas, or `*` for the operator's own work; it
-- is read once per statement, hence the sub-selects.
create function niyam_protect(protected regclass, privileges text) returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security', protected);
    execute format(
        'create policy tenants on %s using ('
        '(select current_setting(''niyam.tenants'', true)) = ''*'' or '
        'tenant = any ((select string_to_array(current_setting(''niyam.tenants'', true), '',''))::text[]))',
        protected
    );
    execute format('grant %s on %s to niyam_host', privileges, protected);
end
$$;

revoke execute on function niyam_protect from public;

grant select on _sqlx_migrations to niyam_host;
grant select, insert on components to niyam_host;

select niyam_protect('tenant_heads', 'select, insert, update');
select niyam_protect('events', 'select, insert');
select niyam_protect('idempotency', 'select, insert, update, delete');
select niyam_protect('projection_checkpoints', 'select, insert, update, delete');
select niyam_protect('projection_failures', 'select, insert, update, delete');
select niyam_protect('invoice_list', 'select, insert, update, delete');
