//! A cluster comes up, makes databases, and leaves nothing behind.

use std::path::Path;
use std::process::Command;

use niyam_testdb::{Postgres, SmallDisk};

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

#[test]
fn a_cluster_that_is_stopped_immediately_recovers_what_was_committed() -> anyhow::Result<()> {
    let mut cluster = Postgres::start()?;
    let url = cluster.create_database()?;
    ask(&url, "create table t (n int); insert into t values (7)")?;
    cluster.stop_immediately()?;
    assert_eq!(ask(&url, "select n from t")?, "");
    cluster.start_again()?;
    assert_eq!(ask(&url, "select n from t")?, "7");
    Ok(())
}

/// Where a namespace may not be made, what is said is said at once.
#[test]
fn a_small_disk_is_full_until_it_is_freed() {
    match SmallDisk::new(1 << 20) {
        Ok(mut disk) => {
            let file = disk.folder().join("file");
            std::fs::write(&file, vec![1; 1 << 18]).unwrap();
            disk.fill().unwrap();
            let refused = std::fs::write(disk.folder().join("other"), "x").unwrap_err();
            assert_eq!(refused.kind(), std::io::ErrorKind::StorageFull);
            disk.free().unwrap();
            std::fs::write(&file, vec![2; 1 << 19]).unwrap();
        }
        Err(error) => assert!(error.to_string().contains("small disk"), "{error:#}"),
    }
}
