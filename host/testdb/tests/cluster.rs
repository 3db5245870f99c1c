//! A cluster comes up, makes databases, and leaves nothing behind.

use std::path::Path;
use std::process::Command;

use niyam_testdb::Postgres;

fn ask(url: &str, sql: &str) -> anyhow::Result<String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", url, "--command", sql])
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[test]
fn a_cluster_makes_fresh_databases_keeps_fsync_on_and_leaves_nothing_behind() -> anyhow::Result<()> {
    let cluster = Postgres::start()?;
    let (first, second) = (cluster.create_database()?, cluster.create_database()?);
    assert_ne!(first, second);
    assert_eq!(ask(&first, "show fsync")?, "on");
    assert_eq!(ask(&first, "create table t (n int); select count(*) from t")?, "0");
    assert_eq!(ask(&second, "select to_regclass('t') is null")?, "t");
    let folder = ask(&first, "show data_directory")?;
    assert!(Path::new(&folder).is_dir());
    drop(cluster);
    assert!(!Path::new(&folder).exists());
    Ok(())
}
