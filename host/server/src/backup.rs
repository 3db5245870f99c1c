//! The file of a backup: JSON, a record a line, compressed with Zstandard.
//!
//! The first line names the format and the head of every tenant. Then come components, and for each tenant the keys of its
//! data subjects, its events in order of position and the answers that repeated requests get. The last line has the number of lines before it and the
//! SHA-256 of their bytes, so that a file that was cut off is known. Keys that are
//! files of the data folder are not in it, nor is the master key, without which those of data subjects open nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use niyam_domain::{Position, SubjectKeyId, TenantId, Version};
use niyam_store::{Component, GivenAnswer, Head, Record, Recorded, SubjectKey};
use niyam_values::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const FORMAT: &str = "niyam-backup";
const VERSION: u32 = 2;
/// The oldest that is read: it has no keys of data subjects.
const VERSION_MIN: u32 = 1;
/// Longest line that is read: an event of 1 MiB, or a component, in base64 with room to spare.
const LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Why a file is no backup, or cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// The file cannot be read or written.
    #[error("failed to use {}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    /// The file is there already.
    #[error("{} is there already, and is not overwritten", path.display())]
    Exists { path: PathBuf },
    /// It is not a backup, or one of another version.
    #[error("{} is no backup of version {VERSION_MIN} to {VERSION}", path.display())]
    NotABackup { path: PathBuf },
    /// A line makes no sense.
    #[error("line {line} of {} is damaged", path.display())]
    Damaged { path: PathBuf, line: u64 },
    /// The end is missing, or is not of this file.
    #[error("{} is cut off or was changed", path.display())]
    CutOff { path: PathBuf },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Backup(Header),
    Component { digest: String, bytes: String },
    SubjectKey(SubjectKeyLine),
    Event(Box<EventLine>),
    Answer(AnswerLine),
    End { lines: u64, sha256: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    made_at: Timestamp,
    heads: Vec<HeadLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine {
    tenant: TenantId,
    position: u64,
    hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLine {
    tenant: TenantId,
    position: u64,
    stream: String,
    version: u64,
    id: Uuid,
    #[serde(rename = "type")]
    event_type: String,
    recorded_at: Timestamp,
    effective_date: Date,
    payload: Bytes,
    metadata: Bytes,
    hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerLine {
    tenant: TenantId,
    key: String,
    fingerprint: String,
    answer: Bytes,
    position: u64,
    created_at: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectKeyLine {
    tenant: TenantId,
    id: SubjectKeyId,
    subject: String,
    wrapped: Option<String>,
    created_at: Timestamp,
    erased_at: Option<Timestamp>,
}

/// Bytes that are a text nearly always: readable when they are.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bytes {
    Text(String),
    Base64(String),
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes)
            .map_or_else(|error| Self::Base64(BASE64.encode(error.as_bytes())), Self::Text)
    }
}

impl Bytes {
    fn into_vec(self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.into_bytes()),
            Self::Base64(text) => BASE64.decode(text).ok(),
        }
    }
}

/// A backup that is being written: under another name until it is complete.
pub(crate) struct BackupWriter {
    path: PathBuf,
    partial: PathBuf,
    encoder: zstd::Encoder<'static, BufWriter<File>>,
    digest: Sha256,
    lines: u64,
}

impl BackupWriter {
    /// Begins a file that is not there yet.
    pub(crate) fn create(path: &Path, made_at: Timestamp, heads: &[Head]) -> Result<Self, BackupError> {
        if path.exists() {
            return Err(BackupError::Exists { path: path.to_owned() });
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let failed = |error| BackupError::File { path: partial.clone(), error };
        // Only its owner may read the books.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&partial).map_err(failed)?;
        let encoder =
            zstd::Encoder::new(BufWriter::new(file), zstd::DEFAULT_COMPRESSION_LEVEL).map_err(failed)?;
        let mut writer = Self {
            path: path.to_owned(),
            partial: partial.clone(),
            encoder,
            digest: Sha256::new(),
            lines: 0,
        };
        let heads = heads.iter().map(|head| HeadLine {
            tenant: head.tenant.clone(),
            position: head.last_position.0,
            hash: hex::encode(head.hash),
        });
        let header = Header { format: FORMAT.to_owned(), version: VERSION, made_at, heads: heads.collect() };
        writer.line(&Line::Backup(header))?;
        Ok(writer)
    }

    /// Writes one record.
    pub(crate) fn write(&mut self, record: Record) -> Result<(), BackupError> {
        let line = match record {
            Record::Component(Component { digest, bytes }) => {
                Line::Component { digest: hex::encode(digest), bytes: BASE64.encode(bytes) }
            }
            Record::SubjectKey(tenant, key) => Line::SubjectKey(SubjectKeyLine {
                tenant,
                id: key.id,
                subject: hex::encode(key.subject),
                wrapped: key.wrapped.map(|wrapped| BASE64.encode(wrapped)),
                created_at: key.created_at,
                erased_at: key.erased_at,
            }),
            Record::Event(event) => Line::Event(Box::new(EventLine {
                tenant: event.tenant,
                position: event.position.0,
                stream: event.stream.to_string(),
                version: event.version.0,
                id: event.id,
                event_type: event.event_type,
                recorded_at: event.recorded_at,
                effective_date: event.effective_date,
                payload: event.payload.into(),
                metadata: event.metadata.into(),
                hash: hex::encode(event.hash),
            })),
            Record::Answer(given) => Line::Answer(AnswerLine {
                tenant: given.tenant,
                key: given.key,
                fingerprint: hex::encode(given.fingerprint),
                answer: given.answer.into(),
                position: given.position.0,
                created_at: given.created_at,
            }),
        };
        self.line(&line)
    }

    /// Makes it durable, and gives it its name.
    pub(crate) fn finish(mut self) -> Result<(), BackupError> {
        let digest = std::mem::take(&mut self.digest).finalize();
        let end = Line::End { lines: self.lines, sha256: hex::encode(digest) };
        self.line(&end)?;
        let Self { path, partial, encoder, .. } = self;
        let failed = |error| BackupError::File { path: partial.clone(), error };
        let buffer = encoder.finish().map_err(failed)?;
        let file = buffer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        // Unlike a rename, this does not replace a file that came meanwhile.
        fs::hard_link(&partial, &path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists { path: path.clone() },
            _ => BackupError::File { path: path.clone(), error },
        })?;
        fs::remove_file(&partial).map_err(failed)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| BackupError::File { path: folder.to_owned(), error })
    }

    fn line(&mut self, line: &Line) -> Result<(), BackupError> {
        let failed = |error| BackupError::File { path: self.partial.clone(), error };
        let mut bytes = serde_json::to_vec(line).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        self.digest.update(&bytes);
        self.lines += 1;
        self.encoder.write_all(&bytes).map_err(failed)
    }
}

/// A backup that is being read.
pub(crate) struct BackupReader {
    path: PathBuf,
    source: BufReader<zstd::Decoder<'static, BufReader<File>>>,
    digest: Sha256,
    lines: u64,
    heads: Vec<Head>,
}

impl BackupReader {
    /// Opens a backup and reads its first line.
    pub(crate) fn open(path: &Path) -> Result<Self, BackupError> {
        let failed = |error| BackupError::File { path: path.to_owned(), error };
        let file = File::open(path).map_err(failed)?;
        let source = BufReader::new(zstd::Decoder::new(file).map_err(failed)?);
        let mut reader =
            Self { path: path.to_owned(), source, digest: Sha256::new(), lines: 0, heads: Vec::new() };
        let not_a_backup = || BackupError::NotABackup { path: path.to_owned() };
        match reader.line() {
            Ok(Line::Backup(header))
                if header.format == FORMAT && (VERSION_MIN..=VERSION).contains(&header.version) =>
            {
                let heads = header.heads.into_iter().map(|head| {
                    Some(Head {
                        tenant: head.tenant,
                        last_position: Position(head.position),
                        hash: bytes_of(&head.hash)?,
                    })
                });
                reader.heads = heads.collect::<Option<_>>().ok_or_else(not_a_backup)?;
                Ok(reader)
            }
            _ => Err(not_a_backup()),
        }
    }

    /// Where each tenant's history ends in it.
    pub(crate) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The next record; `None` after the last, when the file is whole.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, BackupError> {
        let before = (self.lines, hex::encode(self.digest.clone().finalize()));
        let line = self.line()?;
        let damaged = || BackupError::Damaged { path: self.path.clone(), line: self.lines };
        let record = match line {
            Line::Backup(_) => return Err(damaged()),
            Line::Component { digest, bytes } => component(&digest, &bytes),
            Line::SubjectKey(key) => subject_key(key),
            Line::Event(event) => recorded(*event),
            Line::Answer(answer) => given(answer),
            Line::End { lines, sha256 } => {
                let whole = (lines, sha256) == before && self.source.fill_buf().is_ok_and(<[u8]>::is_empty);
                let path = self.path.clone();
                return if whole { Ok(None) } else { Err(BackupError::CutOff { path }) };
            }
        };
        record.map(Some).ok_or_else(damaged)
    }

    fn line(&mut self) -> Result<Line, BackupError> {
        let mut bytes = Vec::new();
        let read = io::Read::take(&mut self.source, LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
        let path = || self.path.clone();
        match read {
            Ok(_) if bytes.ends_with(b"\n") => {}
            Ok(_) => return Err(BackupError::CutOff { path: path() }),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(BackupError::CutOff { path: path() });
            }
            Err(error) => return Err(BackupError::File { path: path(), error }),
        }
        self.digest.update(&bytes);
        self.lines += 1;
        serde_json::from_slice(&bytes).map_err(|_| BackupError::Damaged { path: path(), line: self.lines })
    }
}

fn component(digest: &str, bytes: &str) -> Option<Record> {
    Some(Record::Component(Component { digest: bytes_of(digest)?, bytes: BASE64.decode(bytes).ok()? }))
}

fn subject_key(line: SubjectKeyLine) -> Option<Record> {
    let wrapped = line.wrapped.map(|wrapped| BASE64.decode(wrapped));
    let key = SubjectKey {
        id: line.id,
        subject: bytes_of(&line.subject)?,
        wrapped: wrapped.transpose().ok()?,
        created_at: line.created_at,
        erased_at: line.erased_at,
    };
    // One or the other, and not both.
    (key.wrapped.is_some() != key.erased_at.is_some()).then_some(Record::SubjectKey(line.tenant, key))
}

fn recorded(line: EventLine) -> Option<Record> {
    Some(Record::Event(Recorded {
        tenant: line.tenant,
        position: Position(line.position),
        stream: line.stream.parse().ok()?,
        version: Version(line.version),
        id: line.id,
        event_type: line.event_type,
        payload: line.payload.into_vec()?,
        metadata: line.metadata.into_vec()?,
        recorded_at: line.recorded_at,
        effective_date: line.effective_date,
        hash: bytes_of(&line.hash)?,
    }))
}

fn given(line: AnswerLine) -> Option<Record> {
    Some(Record::Answer(GivenAnswer {
        tenant: line.tenant,
        key: line.key,
        fingerprint: bytes_of(&line.fingerprint)?,
        answer: line.answer.into_vec()?,
        position: Position(line.position),
        created_at: line.created_at,
    }))
}

fn bytes_of(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}
