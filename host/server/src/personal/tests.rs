//! What is sealed opens with its key and in its place alone, and the format never changes.

use std::os::unix::fs::PermissionsExt as _;

use niyam_domain::personal::{PlaceKind, Sealed};
use niyam_domain::{SubjectKeyId, TenantId};
use uuid::Uuid;

use super::cipher::{Bound, CipherError, CipherKey};
use super::master::{KEY_FILE, MasterKey, UnwrapError};

const PLAIN: &str = r#"{"id":"c-1","name":"রহিমা","country":"BD"}"#;

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn key_id(number: u128) -> SubjectKeyId {
    SubjectKeyId(Uuid::from_u128(number))
}

#[test]
fn a_sealed_text_opens_nowhere_else() {
    let (acme, bravo) = (tenant("acme"), tenant("bravo"));
    let key = CipherKey::new(&[3; 32]);
    let bound = |tenant, number, place, kind| Bound { tenant, key: key_id(number), place, kind };
    let here = bound(&acme, 1, "invoice/1", PlaceKind::Party);
    let sealed = key.seal(&here, PLAIN).unwrap();
    assert_eq!(key.open(&here, &sealed).as_deref(), Ok(PLAIN));
    assert_ne!(key.seal(&here, PLAIN).unwrap(), sealed, "each time another nonce");
    for elsewhere in [
        bound(&bravo, 1, "invoice/1", PlaceKind::Party),
        bound(&acme, 2, "invoice/1", PlaceKind::Party),
        bound(&acme, 1, "invoice/2", PlaceKind::Party),
        bound(&acme, 1, "invoice/1", PlaceKind::PartyView),
    ] {
        assert_eq!(key.open(&elsewhere, &sealed), Err(CipherError));
    }
    assert_eq!(CipherKey::new(&[4; 32]).open(&here, &sealed), Err(CipherError));
    let other = key.seal(&here, "another").unwrap();
    for damaged in [
        Sealed { nonce: other.nonce.clone(), ..sealed.clone() },
        Sealed { data: other.data, ..sealed.clone() },
        Sealed { data: String::new(), ..sealed.clone() },
        Sealed { nonce: "AAAA".to_owned(), ..sealed.clone() },
        Sealed { data: "not base64!".to_owned(), ..sealed.clone() },
    ] {
        assert_eq!(key.open(&here, &damaged), Err(CipherError));
    }
}

#[test]
fn a_key_opens_with_its_master_key_and_in_its_row_alone() {
    let acme = tenant("acme");
    let (master, subject) = (MasterKey::of(&[7; 32]), [9; 32]);
    let wrapped = master.wrap(&acme, key_id(1), &subject, &[3; 32]).unwrap();
    let opens = |master: &MasterKey, tenant: &TenantId, number, subject: &[u8; 32], wrapped: &[u8]| {
        master.unwrap(tenant, key_id(number), subject, wrapped).map(drop)
    };
    assert_eq!(opens(&master, &acme, 1, &subject, &wrapped), Ok(()));
    let other = MasterKey::of(&[8; 32]);
    assert_eq!(opens(&other, &acme, 1, &subject, &wrapped), Err(UnwrapError::OtherMaster));
    for refused in [
        opens(&master, &tenant("bravo"), 1, &subject, &wrapped),
        opens(&master, &acme, 2, &subject, &wrapped),
        opens(&master, &acme, 1, &[8; 32], &wrapped),
        opens(&master, &acme, 1, &subject, &wrapped[..wrapped.len() - 1]),
        opens(&master, &acme, 1, &subject, &[]),
    ] {
        assert_eq!(refused, Err(UnwrapError::Damaged));
    }
    for byte in 9..wrapped.len() {
        let mut flipped = wrapped.clone();
        flipped[byte] ^= 1;
        assert_eq!(opens(&master, &acme, 1, &subject, &flipped), Err(UnwrapError::Damaged), "{byte}");
    }
}

#[test]
fn a_subject_bears_another_name_with_each_tenant_and_each_master_key() {
    let (master, other) = (MasterKey::of(&[7; 32]), MasterKey::of(&[8; 32]));
    let name = master.subject(&tenant("acme"), "c-1");
    assert_eq!(master.subject(&tenant("acme"), "c-1"), name);
    for different in [
        master.subject(&tenant("acme"), "c-2"),
        master.subject(&tenant("bravo"), "c-1"),
        other.subject(&tenant("acme"), "c-1"),
    ] {
        assert_ne!(different, name);
    }
}

/// Sealed and wrapped once, and readable for ever.
#[test]
fn the_format_never_changes() {
    let acme = tenant("acme");
    let master = MasterKey::of(&[7; 32]);
    let subject = master.subject(&acme, "c-1");
    assert_eq!(hex::encode(subject), SUBJECT);
    let key = master.unwrap(&acme, key_id(1), &subject, &hex::decode(WRAPPED).unwrap()).unwrap();
    let sealed: Sealed = serde_json::from_str(SEALED).unwrap();
    let bound = Bound { tenant: &acme, key: key_id(1), place: "invoice/1", kind: PlaceKind::Party };
    assert_eq!(key.open(&bound, &sealed).as_deref(), Ok(PLAIN));
}

const SUBJECT: &str = "93ddbe699b8c6cc3cc135408a21a195af33d5c8991af1e92678646812c3c596f";
const WRAPPED: &str = "01e71f64a506dd673be56a9ff15c4b32bd03873d85db178585b6260c725d43231bd466231c39b6912acfa6c1f7a56d0203f2486f40c2a0ad9dadcf99438f5f2682ba1866e209952cac181f908dbb31a5ad";
const SEALED: &str = r#"{"kind":"party","key":"00000000-0000-0000-0000-000000000001","nonce":"3pjKg1c/qD2Hu9LO02GF/WU8vXw9f4HP","data":"OsZM5sqBdJnZJpvxpVr2HKrcsfcYhg+ezeaN8rCtBbh8LFq3MseKGbyzFh/nEK2Ns5YG06ME27B5ub5EE0yzn20gHW8"}"#;

#[test]
fn the_master_key_is_its_owners_alone_and_made_once() {
    let folder = tempfile::tempdir().unwrap();
    assert!(MasterKey::find(folder.path()).unwrap().is_none());
    let made = MasterKey::open(folder.path()).unwrap();
    let acme = tenant("acme");
    let found = MasterKey::find(folder.path()).unwrap().unwrap();
    assert_eq!(found.subject(&acme, "c-1"), made.subject(&acme, "c-1"));
    let path = folder.path().join(KEY_FILE);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for broken in ["", "00", "zz"] {
        std::fs::write(&path, broken).unwrap();
        assert!(MasterKey::find(folder.path()).is_err(), "{broken}");
    }
}
