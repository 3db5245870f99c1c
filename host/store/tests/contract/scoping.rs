//! What the host's role may do on PostgreSQL, and what hosts tell each other.

use std::time::Duration;

use futures::StreamExt;
use niyam_domain::Position;
use niyam_store::{Durability, EventStore, Login, Reader, Scope, StoreError, Writer};
use sqlx::{Executor, PgConnection};

use crate::harness::{Kind, TestStore, append, tenant};

/// The code of a statement that the database refused.
async fn refusal(connection: &mut PgConnection, sql: &'static str) -> String {
    match connection.execute(sql).await {
        Ok(done) => format!("took {} rows", done.rows_affected()),
        Err(error) => error
            .as_database_error()
            .and_then(|error| error.code().map(std::borrow::Cow::into_owned))
            .unwrap_or_else(|| error.to_string()),
    }
}

pub async fn a_reader_sees_the_tenants_of_its_scope_only() -> anyhow::Result<()> {
    let test = TestStore::new(Kind::Postgres).await?;
    let (acme, bravo) = (tenant("acme"), tenant("bravo"));
    test.append(&acme, append("a", 0, 2)).await?;
    test.append(&bravo, append("a", 0, 3)).await?;
    for (scope, expected) in
        [(Scope::Tenant(&acme), 2), (Scope::Tenants([&acme, &bravo].into()), 5), (Scope::All, 5)]
    {
        let Reader::Postgres(mut connection) = test.database().read(&scope).await? else {
            anyhow::bail!("no")
        };
        for table in ["events", "tenant_heads"] {
            let (tenants,): (i64,) = match table {
                "events" => sqlx::query_as("select count(*) from events").fetch_one(&mut *connection).await?,
                _ => {
                    sqlx::query_as("select sum(last_position)::bigint from tenant_heads")
                        .fetch_one(&mut *connection)
                        .await?
                }
            };
            assert_eq!(tenants, expected, "{table} {scope:?}");
        }
        // A reader does not write.
        assert_eq!(refusal(&mut connection, "delete from idempotency").await, "25006");
    }
    Ok(())
}

pub async fn a_connection_without_a_scope_sees_nothing() -> anyhow::Result<()> {
    let test = TestStore::new(Kind::Postgres).await?;
    test.append(&tenant("acme"), append("a", 0, 2)).await?;
    let niyam_store::Database::Postgres(pool) = test.database() else { anyhow::bail!("not PostgreSQL") };
    let (rows,): (i64,) = sqlx::query_as("select count(*) from events").fetch_one(pool).await?;
    assert_eq!(rows, 0);
    Ok(())
}

pub async fn the_host_cannot_edit_what_was_recorded() -> anyhow::Result<()> {
    let test = TestStore::new(Kind::Postgres).await?;
    let acme = tenant("acme");
    test.append(&acme, append("a", 0, 2)).await?;
    for (sql, expected) in [
        ("update events set payload = ''", "42501"),
        ("delete from events", "42501"),
        ("truncate events", "42501"),
        ("delete from tenant_heads", "42501"),
        ("update components set bytes = ''", "42501"),
        ("alter table events disable row level security", "42501"),
        ("drop policy tenants on events", "42501"),
        ("select niyam_protect('events', 'all')", "42501"),
        // Another tenant's head: not there for this one, and not to be made.
        ("update tenant_heads set last_position = 0 where tenant <> 'acme'", "took 0 rows"),
        (
            "insert into tenant_heads (tenant, last_position, head_hash) values ('bravo', 0, sha256(''))",
            "42501",
        ),
    ] {
        let mut writer = test.database().write(&Scope::Tenant(&acme), Durability::Full).await?;
        let Writer::Postgres(connection) = &mut writer else { anyhow::bail!("not PostgreSQL") };
        assert_eq!(refusal(connection, sql).await, expected, "{sql}");
        writer.rollback().await?;
    }
    test.verify_chain(&acme).await?;
    Ok(())
}

/// A call of the function that appends, with one event of `tenant` in a group of `tenants`, at a position after 2.
fn forged(tenants: &str, tenant: &str, position: u64, version: u64, id: &str) -> String {
    format!(
        "with head as (select tenant, last_position, head_hash from tenant_heads where tenant in ('acme') order by 1) \
         select niyam_append(array[{tenants}], array_agg(last_position), array_agg(head_hash), \
             array[]::text[], array[]::text[], array[]::bigint[], array[]::text[], array[]::text[], \
             array['{tenant}'], array[{position}]::bigint[], array[sha256('forged')], \
             array[]::text[], array[]::text[], array[]::bytea[], array[]::bytea[], array[]::bigint[], 1, \
             array['{tenant}'], array[{position}]::bigint[], array['a'], array[{version}]::bigint[], \
             array[{id}], array['t'], array['2026-07-01'], array['x'::bytea], array['y'::bytea], \
             array[sha256('forged')]) from head"
    )
}

/// Runs SQL within acme's scope and leaves nothing behind; the first value, or the code of a refusal.
async fn in_scope_of_acme(test: &TestStore, sql: &str) -> anyhow::Result<String> {
    let acme = tenant("acme");
    let mut writer = test.database().write(&Scope::Tenant(&acme), Durability::Full).await?;
    let Writer::Postgres(connection) = &mut writer else { anyhow::bail!("not PostgreSQL") };
    let written: Result<bool, sqlx::Error> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut **connection).await;
    writer.rollback().await?;
    Ok(match written {
        Ok(written) => written.to_string(),
        Err(error) => {
            let code =
                error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
            code.unwrap_or_else(|| error.to_string())
        }
    })
}

pub async fn the_function_that_appends_lets_the_host_do_no_more_than_statements() -> anyhow::Result<()> {
    let test = TestStore::new(Kind::Postgres).await?;
    let (acme, bravo) = (tenant("acme"), tenant("bravo"));
    test.append(&acme, append("a", 0, 2)).await?;
    test.append(&bravo, append("a", 0, 3)).await?;
    let id = "sha256('')::bytea";
    let new = "substr(sha256('id'), 1, 16)";
    for (sql, expected) in [
        // An event of a tenant that the group is not of.
        (forged("'acme'", "bravo", 4, 4, new), "42501"),
        // A position, a version, an id that is there.
        (forged("'acme'", "acme", 2, 3, new), "23505"),
        (forged("'acme'", "acme", 3, 2, new), "23505"),
        (
            forged("'acme'", "acme", 3, 3, "(select event_id from events where tenant = 'acme' limit 1)"),
            "23505",
        ),
        // What the tables do not take.
        (forged("'acme'", "acme", 3, 3, id), "23514"),
        (forged("'acme'", "acme", 0, 3, new), "23514"),
        // A head that is not the tenant's, or not told.
        (forged("'bravo'", "bravo", 4, 4, new), "false"),
        (forged("'acme', 'bravo'", "acme", 3, 3, new), "false"),
        // No text that is no tenant widens the scope to all.
        (forged("'*'", "acme", 3, 3, new), "false"),
        // An event with a hash that is none: as an insert could, and as an audit finds.
        (forged("'acme'", "acme", 3, 3, new), "true"),
    ] {
        assert_eq!(in_scope_of_acme(&test, &sql).await?, expected, "{sql}");
    }
    let (definer, open): (bool, bool) = sqlx::query_as(
        "select prosecdef, has_function_privilege('public', oid, 'execute') from pg_proc \
         where proname = 'niyam_append'",
    )
    .fetch_one(&test.owner().await?)
    .await?;
    assert!(!definer && !open, "it runs as its caller, who is the host");
    assert_eq!(test.verify_chain(&acme).await?, Position(2));
    assert_eq!(test.verify_chain(&bravo).await?, Position(3));
    // Written for good, the last of them is a break of the chain.
    let mut writer = test.database().write(&Scope::Tenant(&acme), Durability::Full).await?;
    let Writer::Postgres(connection) = &mut writer else { anyhow::bail!("not PostgreSQL") };
    let sql = forged("'acme'", "acme", 3, 3, new);
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut **connection).await?;
    writer.commit().await?;
    assert!(test.verify_chain(&acme).await.is_err(), "a forged hash verifies");
    Ok(())
}

pub async fn every_table_of_a_tenant_is_protected() -> anyhow::Result<()> {
    let test = TestStore::new(Kind::Postgres).await?;
    let owner = test.owner().await?;
    let open: Vec<(String,)> = sqlx::query_as(
        "select relname::text from pg_class join pg_attribute on attrelid = pg_class.oid \
         where relkind in ('r', 'p') and attname = 'tenant' and relnamespace = 'public'::regnamespace \
         and (not relrowsecurity or not exists (select from pg_policy where polrelid = pg_class.oid))",
    )
    .fetch_all(&owner)
    .await?;
    assert!(open.is_empty(), "tables without a policy: {open:?}");
    let (tables,): (i64,) =
        sqlx::query_as("select count(*) from pg_policy where polname = 'tenants'").fetch_one(&owner).await?;
    assert!(tables >= 6, "{tables}");
    // Nobody but the owner, and the host as far as it was allowed, gets at a table.
    let others: Vec<(String, String)> = sqlx::query_as(
        "select distinct table_name::text, grantee::text from information_schema.role_table_grants \
         where table_schema = 'public' and grantee <> 'niyam_host' and grantee <> current_user",
    )
    .fetch_all(&owner)
    .await?;
    assert!(others.is_empty(), "{others:?}");
    Ok(())
}

pub async fn a_role_that_policies_do_not_bind_is_refused() -> anyhow::Result<()> {
    let test = TestStore::new(Kind::Postgres).await?;
    let owner = test.owner().await?;
    // Owns a table of this database, as if the operator had made the host's role the owner. Roles are of the whole
    // cluster, so nothing else about the role can be changed here.
    owner.execute("create table owned (id integer); alter table owned owner to niyam_host").await?;
    let refused = test.another_host().await.err();
    owner.execute("drop table owned").await?;
    let refused = refused.and_then(|error| error.downcast::<StoreError>().ok());
    let expected = matches!(&refused, Some(StoreError::UnsafeSetting { setting: "niyam_host", .. }));
    assert!(expected, "{refused:?}");
    Ok(())
}

/// A login of a name that no other test has, `attributes` and no password; its store on the test's database.
async fn as_login(test: &TestStore, name: &str, attributes: &str) -> anyhow::Result<EventStore> {
    test.tamper(&format!("drop role if exists {name}")).await?;
    test.tamper(&format!("create role {name} login {attributes}")).await?;
    test.another_host_as(name).await
}

pub async fn a_login_that_could_leave_the_host_s_role_is_told_from_one_that_could_not() -> anyhow::Result<()>
{
    let test = TestStore::new(Kind::Postgres).await?;
    let acme = tenant("acme");
    // The tests' own login made the cluster.
    assert_eq!(test.login(), Some(Login::Unbound));
    let suffix = std::process::id();
    let (member, owner, heir) =
        (format!("niyam_member_{suffix}"), format!("niyam_owner_{suffix}"), format!("niyam_heir_{suffix}"));

    let store = as_login(&test, &member, "in role niyam_host").await?;
    assert_eq!(store.login(), Some(Login::Bound));
    store.append(&acme, append("a", 0, 1)).await?;
    // Whoever gets hold of the session and leaves the role has got nowhere.
    let mut writer = store.database().write(&Scope::Tenant(&acme), Durability::Full).await?;
    let Writer::Postgres(connection) = &mut writer else { anyhow::bail!("not PostgreSQL") };
    connection.execute("set local role none").await?;
    assert_eq!(refusal(connection, "update events set payload = ''").await, "42501");
    writer.rollback().await?;
    store.close().await;

    let store = as_login(&test, &owner, "in role niyam_host").await?;
    store.close().await;
    test.tamper(&format!("alter table events owner to {owner}")).await?;
    let store = test.another_host_as(&owner).await?;
    assert_eq!(store.login(), Some(Login::Owner));
    let mut writer = store.database().write(&Scope::Tenant(&acme), Durability::Full).await?;
    let Writer::Postgres(connection) = &mut writer else { anyhow::bail!("not PostgreSQL") };
    connection.execute("set local role none").await?;
    assert_eq!(
        refusal(connection, "update events set payload = ''").await,
        "took 1 rows",
        "hence the warning"
    );
    writer.rollback().await?;
    store.close().await;
    // So is one that may become the owner.
    let store = as_login(&test, &heir, &format!("in role niyam_host, {owner}")).await?;
    assert_eq!(store.login(), Some(Login::Owner));
    store.close().await;

    test.tamper("alter table events owner to current_user").await?;
    for name in [heir, owner, member] {
        test.tamper(&format!("drop role {name}")).await?;
    }
    Ok(())
}

pub async fn tables_of_another_version_are_refused() -> anyhow::Result<()> {
    let test = TestStore::new(Kind::Postgres).await?;
    let owner = test.owner().await?;
    owner
        .execute(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
             values (9999, 'of tomorrow', true, '', 0)",
        )
        .await?;
    let refused = test.another_host().await.err().and_then(|error| error.downcast::<StoreError>().ok());
    assert!(matches!(refused, Some(StoreError::TooNew { migration: 9999 })), "{refused:?}");
    owner.execute("delete from _sqlx_migrations where version > 1").await?;
    let refused = test.another_host().await.err().and_then(|error| error.downcast::<StoreError>().ok());
    assert!(matches!(refused, Some(StoreError::Outdated { .. })), "{refused:?}");
    Ok(())
}

pub async fn migrating_makes_the_tables_once() -> anyhow::Result<()> {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let folder = tempfile::tempdir()?;
        let config = crate::harness::config(kind, &folder).await?;
        let first = EventStore::migrate(&config).await?;
        assert!(first.first().is_some_and(|first| first.starts_with("0001 ")), "{first:?}");
        assert!(EventStore::migrate(&config).await?.is_empty());
        EventStore::open(config).await?.append(&tenant("acme"), append("a", 0, 1)).await?;
    }
    Ok(())
}

pub async fn hosts_tell_each_other_of_appends() -> anyhow::Result<()> {
    // Looking now and then would take an hour.
    let test = TestStore::with(Kind::Postgres, |config| config.poll_every = Duration::from_hours(1)).await?;
    let (other, acme) = (test.another_host().await?, tenant("acme"));
    let mut events = Box::pin(test.subscribe(acme.clone(), Position(0)));
    let next = tokio::spawn(async move { events.next().await });
    // The listener may not be listening yet when the first is told.
    let mut appended = 0;
    while !next.is_finished() {
        other.append(&acme, append(&format!("a/{appended}"), 0, 1)).await?;
        appended += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(next.await?.expect("an event")?.position, Position(1));
    Ok(())
}
