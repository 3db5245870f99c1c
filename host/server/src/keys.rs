//! Private keys in files: made on first use, readable by their owner alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use zeroize::Zeroizing;

/// The key in the file, which is made if it is not there.
pub(crate) fn open(path: &Path) -> io::Result<SigningKey> {
    if !path.exists() {
        let key = SigningKey::from_bytes(&rand::random());
        create(path, &key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?)?;
    }
    read(path)
}

/// The key in the file, which must be there.
pub(crate) fn read(path: &Path) -> io::Result<SigningKey> {
    SigningKey::from_pkcs8_pem(&fs::read_to_string(path)?).map_err(io::Error::other)
}

/// The 32 bytes in the file, in hex, which is made if it is not there.
pub(crate) fn open_secret(path: &Path) -> io::Result<Zeroizing<[u8; 32]>> {
    if !path.exists() {
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
        create(path, &Zeroizing::new(format!("{}\n", hex::encode(*secret))))?;
    }
    read_secret(path)
}

/// The 32 bytes in the file, in hex, which must be there.
pub(crate) fn read_secret(path: &Path) -> io::Result<Zeroizing<[u8; 32]>> {
    let text = Zeroizing::new(fs::read_to_string(path)?);
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), &mut *secret)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not 64 digits of hex"))?;
    Ok(secret)
}

/// Written beside and linked into place, so that of two processes one makes the key and both read it.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("the key has no folder"))?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let unfinished = folder.join(format!(".key-{}-{:08x}", std::process::id(), rand::random::<u32>()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| match fs::hard_link(&unfinished, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    fs::remove_file(&unfinished)?;
    written?;
    File::open(folder)?.sync_all()
}
