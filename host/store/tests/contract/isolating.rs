//! Two tenants whose streams, versions, positions, event ids and keys are the same.

use std::collections::BTreeMap;

use futures::StreamExt;
use niyam_domain::{Position, SubjectKeyId, Version};
use niyam_store::{Append, AppendError, Database, ModuleUpload, NewSubjectKey};
use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;

use crate::harness::{Kind, TestStore, append, batch, issue, request, stream, tenant, write};

/// Everything that any table holds of a tenant, byte for byte.
async fn rows_of(test: &TestStore, tenant: &str) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut rows = BTreeMap::new();
    for table in texts(test, tables(test.database())).await? {
        let row = match test.database() {
            Database::Postgres(_) => "kept::text".to_owned(),
            Database::Sqlite { .. } => {
                let columns = format!("select name from pragma_table_info('{table}') order by cid");
                let quoted =
                    texts(test, &columns).await?.into_iter().map(|column| format!("quote({column})"));
                quoted.collect::<Vec<_>>().join(" || '|' || ")
            }
        };
        let sql = format!("select {row} from {table} as kept where tenant = '{tenant}' order by 1");
        rows.insert(table, texts(test, &sql).await?);
    }
    Ok(rows)
}

/// The tables that say whose a row is.
fn tables(database: &Database) -> &'static str {
    match database {
        Database::Postgres(_) => {
            "select table_name::text from information_schema.columns where table_schema = 'public' \
             and column_name = 'tenant' order by 1"
        }
        Database::Sqlite { .. } => {
            "select t.name from sqlite_schema as t join pragma_table_info(t.name) as c on c.name = 'tenant' \
             where t.type = 'table' order by 1"
        }
    }
}

async fn texts(test: &TestStore, sql: &str) -> anyhow::Result<Vec<String>> {
    let query = sqlx::query_scalar(AssertSqlSafe(sql));
    Ok(match test.database() {
        Database::Sqlite { readers, .. } => query.fetch_all(readers).await?,
        Database::Postgres(_) => {
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&test.owner().await?).await?
        }
    })
}

pub async fn what_one_tenant_does_leaves_every_byte_of_another(kind: Kind) -> anyhow::Result<()> {
    let mut test = TestStore::new(kind).await?;
    let (acme, bravo) = (tenant("acme"), tenant("bravo"));
    let first = write("invoice/1", 0, 2);
    let id = SubjectKeyId(uuid::Uuid::from_u128(1));
    let key = NewSubjectKey { id, subject: [7; 32], wrapped: vec![1; 81] };
    for tenant in [&acme, &bravo] {
        let both = Append::of(batch(vec![first.clone()])).idempotent(request("key", 1));
        let both = both.new_keys([key.clone()]);
        test.append(tenant, both).await?;
        test.append(tenant, issue("series", "invoice/2").idempotent(request("issue", 1))).await?;
        for sql in [
            "insert into projection_checkpoints values ('TENANT', 'invoice_list', 0, 4, true)",
            "insert into projection_leases values ('TENANT', 'invoice_list', HOST, 1)",
            "insert into projection_failures values ('TENANT', 'invoice_list', 4, 'unreadable', 1)",
            "insert into module_uploads values ('TENANT', HASH, 'rahima', 1)",
            "insert into jobs values ('TENANT', 'job', 'simulation', 'queued', '{}', 'rahima', 'job', HASH, 1, null, null, 0, 0, 4, null, null, null, null)",
            "insert into job_differences values ('TENANT', 'job', 1, 0, '{}')",
            "insert into tax_documents values ('TENANT', 0, '2026-07-01', 4)",
            "insert into bank_statements values ('TENANT', 0, 's', 1, '1120', 'BDT', 'csv', null, '2026-07-01', '2026-07-31', \
             1, 2, 1, 0, 4)",
            "insert into bank_lines values ('TENANT', 0, 's', 0, '2026-07-01', 1, 0)",
            "insert into bank_matches values ('TENANT', 0, 'e', 0, 's', 0)",
            "insert into schedules values ('TENANT', 0, 's', 1, 'Rent', 'recurring', 'active', '2026-07-01', null, 4)",
            "insert into shadows values ('TENANT', 2, 4, '{}', 1)",
            "insert into shadow_differences values ('TENANT', 2, 1, '{}')",
            "insert into snapshots values ('TENANT', 'invoice/1', 2, HASH, HASH, HASH, 1)",
            "insert into invoice_list values ('TENANT', 0, '1', 'draft', null, 'Padma', null, 'BDT', null, 2, 2, 1, null, 'sale', 'invoice', '2026-07-01', 0)",
            "insert into ledger_entries values ('TENANT', 0, 'e', 2, 1, '2026-07-01', 'Rent', null, null, null, null, 0)",
            "insert into ledger_lines values ('TENANT', 0, '5300', '2026-07-01', 2, 0, 1, 'e', 'BDT', 1, 0, 0, null, null)",
            "insert into ledger_days values ('TENANT', 0, '5300', 'BDT', '2026-07-01', '2026-07-01', 0, 0, 1, 0, 0)",
            "insert into ledger_dimensions values \
             ('TENANT', 0, 'branch', 'dhaka', '5300', '2026-07-01', 2, 0, 1, 'BDT', 1, 0, 0)",
            "insert into open_items values ('TENANT', 0, '1', 'receivable', 'invoice', '1', '2026-07-01', '2026-07-01', \
             'BDT', 1, 'k', 'Padma', null, 'invoice/1')",
            "insert into open_item_moves values ('TENANT', 0, '1', 2, 1, '2026-07-01', 'invoice', '1', 1)",
            "insert into payment_list values ('TENANT', 0, '1', 'receipt', 'cash', 'pending', null, '2026-07-01', 'BDT', \
             '1', 'k', 'Padma', null, 1, 2)",
            "insert into tax_items values ('TENANT', 0, '2026-07-01', '1', 'vat', '15', 'added', 0, 'sale', 'BDT', 1, '1', '1')",
        ] {
            let blob = |bytes: usize| match kind {
                Kind::Sqlite => format!("zeroblob({bytes})"),
                Kind::Postgres => format!("decode(repeat('00', {bytes}), 'hex')"),
            };
            let sql =
                sql.replace("TENANT", tenant.as_str()).replace("HOST", &blob(16)).replace("HASH", &blob(32));
            test.tamper(&sql).await?;
        }
    }
    let before = rows_of(&test, "bravo").await?;
    assert!(before.len() >= 14 && before.values().all(|rows| !rows.is_empty()), "{before:?}");

    // Each is refused or done for acme, at positions, versions, ids and keys that bravo has too.
    test.append(&acme, append("invoice/1", 2, 3)).await?;
    assert_eq!(rows_of(&test, "bravo").await?, before, "an append");
    test.append(&acme, issue("series", "invoice/3").idempotent(request("issue-3", 1))).await?;
    assert_eq!(rows_of(&test, "bravo").await?, before, "a number drawn");
    assert!(test.append(&acme, append("invoice/1", 2, 1).idempotent(request("key", 1))).await?.replayed);
    assert_eq!(rows_of(&test, "bravo").await?, before, "a repetition");
    for (refused, what) in [
        (append("invoice/1", 2, 1), "a conflict"),
        (append("invoice/4", 0, 1).idempotent(request("key", 2)), "a key of another request"),
        (Append::of(batch(vec![write("invoice/4", 0, 0)])), "an invalid batch"),
        (Append::of(batch(vec![niyam_store::StreamWrite { stream: stream("invoice/4"), ..first }])), "an id"),
    ] {
        let answer = test.append(&acme, refused).await;
        assert!(
            matches!(&answer, Err(error) if !matches!(error, AppendError::Store(_))),
            "{what}: {answer:?}"
        );
        assert_eq!(rows_of(&test, "bravo").await?, before, "{what}");
    }
    let erased = Append::of(batch(vec![write(id.stream().as_str(), 0, 1)])).erased_keys([id]);
    test.append(&acme, erased).await?;
    test.put_subject_keys(&acme, &test.keys_of_subject(&acme, &[7; 32]).await?).await?;
    assert_eq!(rows_of(&test, "bravo").await?, before, "an erasure");
    let upload = ModuleUpload {
        digest: Sha256::digest(b"module").into(),
        bytes: b"module",
        user: "karim",
        signatures: &[],
    };
    assert!(test.upload_module(&acme, &upload).await?);
    assert_eq!(rows_of(&test, "bravo").await?, before, "an upload");
    test.append(&acme, Append::of(batch(vec![])).idempotent(request("nothing", 1))).await?;
    assert_eq!(rows_of(&test, "bravo").await?, before, "an append without events");
    test.load(&acme, &stream("invoice/1"), Version(0)).await?;
    test.read(&acme, Position(0), 100).await?;
    test.answered(&acme, &request("key", 1)).await?;
    test.head(&acme).await?;
    test.verify_chain(&acme).await?;
    let followed: Vec<_> = test.subscribe(acme.clone(), Position(0)).take(4).collect().await;
    assert!(followed.iter().all(Result::is_ok), "{followed:?}");
    assert_eq!(rows_of(&test, "bravo").await?, before, "reads");
    test.reopen().await?;
    assert_eq!(rows_of(&test, "bravo").await?, before, "a restart");

    assert_eq!(test.verify_chain(&bravo).await?, Position(4));
    assert!(test.append(&bravo, append("x", 0, 1).idempotent(request("issue", 1))).await?.replayed);
    Ok(())
}
