//! Binary snapshots: a value in a frame that shows every kind of damage.
//!
//! **Promise.** What is read is what was written, or a clear error: a changed bit, a missing or an
//! additional byte, another version, another kind of value are all refused, before anything is
//! allocated for them. A crash while writing leaves the earlier snapshot, or none.
//!
//! **Format.** A header of 64 bytes: magic (8), version (4, little-endian like all numbers), zero
//! (4), kind (8), payload length (8), SHA-256 of these 32 bytes followed by the payload's SHA-256
//! (32). Then the payload: the value through serde and bincode 2 in its standard configuration.
//! Nothing follows.
//!
//! **Algorithm.** Writing encodes the value twice: once to measure and sum it, once to the file, so
//! that a large store is not held a second time in memory. The file is written under a side name,
//! synced, renamed, and its folder synced. Reading compares the length with the file's, sums the
//! file, and only then decodes it, under a limit taken from the length.
//!
//! **Tests.** `tests/store_log/snapshot.rs` damages a frame at every byte.

use std::{
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    replace::replace_file,
    storage::{Storage, StorageFile},
};

const MAGIC: &[u8; 8] = b"SXSTSNAP";
const VERSION: u32 = 1;
const HEADER: usize = 64;
const FIELDS: usize = 32;
const CHUNK: usize = 256 * 1024;

type Sum = [u8; 32];

/// Says what a snapshot is of, so that one kind is never read as another: eight bytes, by
/// convention printable.
pub type SnapshotKind = [u8; 8];

/// Why a snapshot was not written or not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A file operation failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The snapshot, or its side file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file does not begin as a snapshot does.
    #[error("not a snapshot")]
    BadMagic,
    /// The frame is of a version that this program does not know.
    #[error("snapshot of version {found}, this program reads version {VERSION}")]
    UnknownVersion {
        /// The file's version.
        found: u32,
    },
    /// The frame holds another kind of value.
    #[error("snapshot of another kind of value")]
    WrongKind,
    /// The file ends before its header or its payload does.
    #[error("snapshot cut short: {found} bytes of {expected}")]
    Truncated {
        /// How long the file should be.
        expected: u64,
        /// How long it is.
        found: u64,
    },
    /// The file goes on behind the payload, or the payload behind the value.
    #[error("snapshot has {count} bytes too many")]
    TrailingBytes {
        /// How many.
        count: u64,
    },
    /// Header or payload are not as they were written.
    #[error("snapshot damaged: the checksum does not match")]
    Checksum,
    /// The payload is as it was written, and is not a value of the type asked for.
    #[error("snapshot does not hold the expected value: {reason}")]
    Decode {
        /// What the decoder said.
        reason: String,
    },
    /// The value could not be encoded, or not twice in the same way.
    #[error("value cannot be written as a snapshot: {reason}")]
    Encode {
        /// What the encoder said.
        reason: String,
    },
}

impl SnapshotError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// Writes a value as the snapshot `path`, replacing an earlier one in one step; gives the file's
/// length in bytes. Who may read an earlier one may read the new one.
///
/// # Errors
/// [`SnapshotError::Io`] and [`SnapshotError::Encode`]. The earlier snapshot is still there then, or
/// the new one, where only the folder's last sync failed.
pub fn write_snapshot<T: Serialize>(
    storage: &dyn Storage,
    path: &Path,
    kind: SnapshotKind,
    value: &T,
) -> Result<u64, SnapshotError> {
    let measured =
        encode(value, Summed::new(io::sink()))?.finish().map_err(SnapshotError::io(path))?;
    let failed = |path: &Path, error| SnapshotError::io(path)(error);
    replace_file(storage, path, failed, |file, side| {
        file.write_all(&header(kind, &measured)).map_err(SnapshotError::io(side))?;
        let output = Summed::new(FileOutput(file));
        let written = encode(value, output)?.finish().map_err(SnapshotError::io(side))?;
        if written == measured {
            return Ok(());
        }
        let reason = "it encodes differently each time".to_owned();
        Err(SnapshotError::Encode { reason })
    })?;
    Ok(HEADER as u64 + measured.length)
}

fn encode<T: Serialize, W: Write>(
    value: &T,
    mut output: Summed<W>,
) -> Result<Summed<W>, SnapshotError> {
    match bincode::serde::encode_into_std_write(value, &mut output, bincode::config::standard()) {
        Ok(_) => Ok(output),
        Err(error) => Err(SnapshotError::Encode { reason: error.to_string() }),
    }
}

/// The length and the sum of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Measured {
    length: u64,
    sum: Sum,
}

/// Gathers small writes, and measures and sums what goes through.
struct Summed<W> {
    output: W,
    buffer: Vec<u8>,
    length: u64,
    hasher: Sha256,
}

impl<W: Write> Summed<W> {
    fn new(output: W) -> Self {
        Self { output, buffer: Vec::with_capacity(CHUNK), length: 0, hasher: Sha256::new() }
    }

    fn finish(mut self) -> io::Result<Measured> {
        self.flush()?;
        Ok(Measured { length: self.length, sum: self.hasher.finalize().into() })
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > CHUNK {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hasher.update(&self.buffer);
        self.length += self.buffer.len() as u64;
        self.output.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

struct FileOutput<'a>(&'a mut dyn StorageFile);

impl Write for FileOutput<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn header(kind: SnapshotKind, measured: &Measured) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&[0; 4]);
    header.extend_from_slice(&kind);
    header.extend_from_slice(&measured.length.to_le_bytes());
    let sum = frame_sum(&header, &measured.sum);
    header.extend_from_slice(&sum);
    header
}

fn frame_sum(fields: &[u8], payload: &Sum) -> Sum {
    let mut hasher = Sha256::new();
    hasher.update(fields);
    hasher.update(payload);
    hasher.finalize().into()
}

/// Whether a file that begins like this (its first eight bytes, or all that it has) is a snapshot or
/// the beginning of one.
pub(crate) fn is_snapshot(start: &[u8]) -> bool {
    let shown = start.get(..MAGIC.len()).unwrap_or(start);
    !shown.is_empty() && MAGIC.starts_with(shown)
}

/// Reads the snapshot `path`.
///
/// # Errors
/// [`SnapshotError::Io`], with `NotFound` when there is none; the other kinds when it is damaged or
/// not what was asked for. The file is not changed.
pub fn read_snapshot<T: DeserializeOwned>(
    storage: &dyn Storage,
    path: &Path,
    kind: SnapshotKind,
) -> Result<T, SnapshotError> {
    let found = storage.len(path).map_err(SnapshotError::io(path))?;
    let file = storage.open_read(path).map_err(SnapshotError::io(path))?;
    let mut input = BufReader::with_capacity(CHUNK, file);
    let header = read_header(&mut input, found).map_err(|error| error.into_error(path))?;
    let length = check_header(&header, kind, found)?;
    let payload = sum_payload(&mut input, length).map_err(SnapshotError::io(path))?;
    let (fields, sum) = header.split_at(FIELDS);
    if frame_sum(fields, &payload).as_slice() != sum {
        return Err(SnapshotError::Checksum);
    }
    let file = storage.open_read(path).map_err(SnapshotError::io(path))?;
    let mut input = BufReader::with_capacity(CHUNK, file);
    input.read_exact(&mut [0; HEADER]).map_err(SnapshotError::io(path))?;
    decode(input.take(length), length)
}

enum HeaderError {
    Io(io::Error),
    Frame(SnapshotError),
}

impl HeaderError {
    fn into_error(self, path: &Path) -> SnapshotError {
        match self {
            Self::Io(error) => SnapshotError::io(path)(error),
            Self::Frame(error) => error,
        }
    }
}

/// A file that is too short may still show that it never was a snapshot.
fn read_header(input: &mut impl Read, found: u64) -> Result<[u8; HEADER], HeaderError> {
    let mut start = Vec::with_capacity(HEADER);
    input.take(HEADER as u64).read_to_end(&mut start).map_err(HeaderError::Io)?;
    let magic = start.get(..MAGIC.len()).unwrap_or(&start);
    if !MAGIC.starts_with(magic) {
        return Err(HeaderError::Frame(SnapshotError::BadMagic));
    }
    let expected = HEADER as u64;
    start.try_into().map_err(|_| HeaderError::Frame(SnapshotError::Truncated { expected, found }))
}

/// Gives the payload's length, which is then known to be what the file has.
fn check_header(
    header: &[u8; HEADER],
    kind: SnapshotKind,
    found: u64,
) -> Result<u64, SnapshotError> {
    let (numbers, rest) = header.split_at(16);
    let version = u32::from_le_bytes(number(numbers, 8));
    if version != VERSION {
        return Err(SnapshotError::UnknownVersion { found: version });
    }
    if !rest.starts_with(&kind) {
        return Err(SnapshotError::WrongKind);
    }
    let length = u64::from_le_bytes(number(rest, 8));
    let expected = length.saturating_add(HEADER as u64);
    match found.cmp(&expected) {
        std::cmp::Ordering::Less => Err(SnapshotError::Truncated { expected, found }),
        std::cmp::Ordering::Greater => {
            Err(SnapshotError::TrailingBytes { count: found - expected })
        }
        std::cmp::Ordering::Equal => Ok(length),
    }
}

/// The `N` bytes from `at` on; zeros where there are none.
fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
}

fn sum_payload(input: &mut impl Read, length: u64) -> io::Result<Sum> {
    let mut hasher = Summed::new(io::sink());
    io::copy(&mut input.take(length), &mut hasher)?;
    Ok(hasher.finish()?.sum)
}

/// bincode counts what it is about to take against a limit that is fixed in its type: the first of
/// these that a payload of this length cannot reach in good faith. Numbers count in full however
/// short they are written.
fn decode<T: DeserializeOwned>(mut input: impl Read, length: u64) -> Result<T, SnapshotError> {
    const MIB: usize = 1024 * 1024;
    let config = bincode::config::standard();
    let decoded = match length.saturating_mul(16) {
        0..=0xF_FFFF => from_read(&mut input, config.with_limit::<MIB>()),
        0x10_0000..=0x3FF_FFFF => {
            from_read(&mut input, config.with_limit::<{ MIB.saturating_mul(64) }>())
        }
        0x400_0000..=0xFFFF_FFFF => {
            from_read(&mut input, config.with_limit::<{ MIB.saturating_mul(4096) }>())
        }
        _ => from_read(&mut input, config.with_limit::<{ MIB.saturating_mul(262_144) }>()),
    };
    let value = decoded.map_err(|error| SnapshotError::Decode { reason: error.to_string() })?;
    match io::copy(&mut input, &mut io::sink()) {
        Ok(0) => Ok(value),
        Ok(count) => Err(SnapshotError::TrailingBytes { count }),
        Err(error) => Err(SnapshotError::Decode { reason: error.to_string() }),
    }
}

fn from_read<T: DeserializeOwned, C: bincode::config::Config>(
    input: &mut impl Read,
    config: C,
) -> Result<T, bincode::error::DecodeError> {
    bincode::serde::decode_from_std_read(input, config)
}
