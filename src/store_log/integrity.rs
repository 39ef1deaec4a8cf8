//! The integrity sidecar `F.integrity`: what proves that a log is, or is not, as it was written.
//!
//! **Promise.** The text log stays exactly the reference's. Beside it, a block of log bytes has its
//! SHA-256 on record once it was written, and how far the log was on stable storage at that time. A
//! block that was on stable storage and no longer has its sum is proven damage, whether or not its
//! lines can still be read; a torn tail is never mistaken for it.
//!
//! **Format.** A header of 64 bytes: magic (8), version (4, little-endian like all numbers), zero
//! (4), the log file's identity (8), zero (8), SHA-256 of these 32 bytes (32). Then entries of 64
//! bytes: number from 0 (8), offset behind the block (8), length of the log known to be synced (8),
//! SHA-256 of the block (32), and the first 8 bytes of the rolling checksum: SHA-256 over the
//! previous rolling checksum and the entry's other 56 bytes, starting from the header's. Entries
//! end at the first that does not check; what follows is not covered.
//!
//! **Why the order is right.** An entry is written after its block was, so a crash leaves the
//! sidecar behind the log, never ahead. Only blocks below the greatest synced length are judged:
//! above it a power loss may have taken bytes away. The identity ties the sidecar to one file, not
//! to a name: a log that another program compacted or restored is a new file, and the sidecar then
//! says nothing about it.
//!
//! **Tests.** `tests/store_log/integrity.rs`.

use std::{
    io::{self, BufReader, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

use super::{
    config::{Phase, Progress, StoreLogConfig},
    report::{Damage, DamageReason, Integrity},
    storage::{Storage, StorageFile},
};

const MAGIC: &[u8; 8] = b"SXSTLOGI";
const VERSION: u32 = 1;
const RECORD: usize = 64;

/// A block ends with the first write that brings it to this many bytes.
const BLOCK: u64 = 16 * 1024;

type Sum = [u8; 32];

fn sha256(parts: &[&[u8]]) -> Sum {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// A finished block: the offset behind it and its sum.
#[derive(Clone, Copy, Debug)]
struct Block {
    end: u64,
    sum: Sum,
}

/// Cuts what is written into blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blocks {
    done: Vec<Block>,
    hasher: Sha256,
    end: u64,
    open: u64,
}

impl Blocks {
    /// Takes in bytes that were just appended to the log.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.end += bytes.len() as u64;
        self.open += bytes.len() as u64;
        if self.open >= BLOCK {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.open > 0 {
            let sum = self.hasher.finalize_reset().into();
            self.done.push(Block { end: self.end, sum });
            self.open = 0;
        }
    }
}

/// The sidecar of a log that is being appended to.
pub(crate) struct Sidecar {
    file: Box<dyn StorageFile>,
    blocks: Blocks,
    number: u64,
    chain: Sum,
}

impl Sidecar {
    /// Makes the sidecar of a log that was just written and synced as a whole.
    pub(crate) fn create(
        storage: &dyn Storage,
        log: &Path,
        sidecar: &Path,
        mut blocks: Blocks,
    ) -> io::Result<Self> {
        let (header, chain) = header_of(storage.identity(log)?);
        let mut file = storage.create(sidecar)?;
        file.write_all(&header)?;
        blocks.cut();
        let synced = blocks.end;
        let mut this = Self { file, blocks, number: 0, chain };
        this.write_done(synced)?;
        Ok(this)
    }

    /// Takes in bytes that were just appended to the log, which is synced up to `synced`.
    pub(crate) fn append(&mut self, bytes: &[u8], synced: u64) -> io::Result<()> {
        self.blocks.append(bytes);
        self.write_done(synced)
    }

    /// Ends the last block and syncs the sidecar. The log is synced up to `synced`.
    pub(crate) fn close(&mut self, synced: u64) -> io::Result<()> {
        self.blocks.cut();
        self.write_done(synced)?;
        self.file.sync()
    }

    fn write_done(&mut self, synced: u64) -> io::Result<()> {
        if self.blocks.done.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(self.blocks.done.len() * RECORD);
        for block in std::mem::take(&mut self.blocks.done) {
            let fields = entry_fields(self.number, block.end, synced, &block.sum);
            self.chain = sha256(&[&self.chain, &fields]);
            bytes.extend_from_slice(&fields);
            bytes.extend(self.chain.iter().take(8));
            self.number += 1;
        }
        self.file.write_all(&bytes)
    }
}

fn header_of(identity: Option<u64>) -> (Vec<u8>, Sum) {
    let mut header = Vec::with_capacity(RECORD);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&[0; 4]);
    header.extend_from_slice(&identity.unwrap_or(0).to_le_bytes());
    header.extend_from_slice(&[0; 8]);
    let sum = sha256(&[&header]);
    header.extend_from_slice(&sum);
    (header, sum)
}

fn entry_fields(number: u64, end: u64, synced: u64, sum: &Sum) -> Vec<u8> {
    let mut fields = Vec::with_capacity(RECORD);
    fields.extend_from_slice(&number.to_le_bytes());
    fields.extend_from_slice(&end.to_le_bytes());
    fields.extend_from_slice(&synced.to_le_bytes());
    fields.extend_from_slice(sum);
    fields
}

/// What a comparison of a log with its sidecar found.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) status: Integrity,
    /// Why the sidecar is unusable.
    pub(crate) reason: &'static str,
    /// Proven damage in file order, at most as many places as the configuration lists.
    pub(crate) damage: Vec<Damage>,
    pub(crate) total: u64,
}

impl Verdict {
    fn of(status: Integrity) -> Self {
        Self { status, reason: "", damage: Vec::new(), total: 0 }
    }

    fn unusable(reason: &'static str) -> Self {
        Self { reason, ..Self::of(Integrity::Unusable) }
    }
}

/// Compares a log with its sidecar, reading both once.
pub(crate) fn verify(config: &StoreLogConfig, log: &Path) -> io::Result<Verdict> {
    let entries = match Entries::open(config, log)? {
        Ok(entries) => entries,
        Err(verdict) => return Ok(verdict),
    };
    let file = config.storage.open_read(log)?;
    let total_bytes = config.storage.len(log)?;
    let mut comparison = Comparison {
        log: BufReader::with_capacity(256 * 1024, file),
        offset: 0,
        lines: 0,
        matched: 0,
        suspects: Vec::new(),
        limit: config.max_warnings,
        dropped_ends: Vec::new(),
        missing: None,
    };
    let mut synced = 0;
    for entry in entries {
        let (block, synced_then) = entry?;
        synced = synced.max(synced_then);
        comparison.block(&block)?;
        config.report_progress(Progress {
            phase: Phase::Verifying,
            lines: comparison.lines,
            bytes: comparison.offset,
            total_bytes,
        });
    }
    Ok(comparison.verdict(synced))
}

/// Walks through a log block by block.
struct Comparison<R> {
    log: R,
    offset: u64,
    lines: u64,
    /// The offset behind the last block of an unbroken run of good ones from the start.
    matched: u64,
    suspects: Vec<Damage>,
    limit: usize,
    /// Ends of suspect blocks beyond the limit.
    dropped_ends: Vec<u64>,
    /// Where the file ended, in which line, and the first block end beyond.
    missing: Option<Missing>,
}

struct Missing {
    offset: u64,
    line: u64,
    ends: Vec<u64>,
}

impl<R: Read> Comparison<R> {
    fn block(&mut self, block: &Block) -> io::Result<()> {
        if let Some(missing) = &mut self.missing {
            missing.ends.push(block.end);
            return Ok(());
        }
        let (start, first_line) = (self.offset, self.lines + 1);
        let length = block.end.saturating_sub(start);
        let sum = self.read_block(length)?;
        if self.offset < block.end {
            let line = self.lines + 1;
            self.missing = Some(Missing { offset: self.offset, line, ends: vec![block.end] });
        } else if sum != block.sum {
            self.suspect(Damage {
                line: first_line,
                offset: start,
                length,
                reason: DamageReason::Changed,
                proven: true,
            });
        } else if self.matched == start {
            self.matched = block.end;
        }
        Ok(())
    }

    fn suspect(&mut self, damage: Damage) {
        if self.suspects.len() < self.limit {
            self.suspects.push(damage);
        } else {
            self.dropped_ends.push(damage.offset + damage.length);
        }
    }

    /// Reads as much of `length` bytes as there is.
    fn read_block(&mut self, length: u64) -> io::Result<Sum> {
        let mut hasher = Sha256::new();
        let mut left = length;
        let mut buffer = [0; 8192];
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let got = match self.log.read(buffer.get_mut(..want).unwrap_or_default()) {
                Ok(0) => break,
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = buffer.get(..got).unwrap_or_default();
            hasher.update(bytes);
            self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.offset += got as u64;
            left -= got as u64;
        }
        Ok(hasher.finalize().into())
    }

    /// Suspects below the synced length are proven; the others are what a power loss may leave.
    fn verdict(self, synced: u64) -> Verdict {
        let proven = |end: u64| end <= synced;
        let mut damage: Vec<Damage> =
            self.suspects.into_iter().filter(|place| proven(place.offset + place.length)).collect();
        let mut total = damage.len() as u64
            + self.dropped_ends.into_iter().filter(|end| proven(*end)).count() as u64;
        if let Some(missing) = self.missing
            && let Some(end) = missing.ends.into_iter().filter(|end| proven(*end)).max()
        {
            total += 1;
            damage.push(Damage {
                line: missing.line,
                offset: missing.offset,
                length: end - missing.offset,
                reason: DamageReason::Missing,
                proven: true,
            });
        }
        let status = match total {
            0 => Integrity::Intact { covered: self.matched },
            _ => Integrity::Damaged,
        };
        Verdict { damage, total, ..Verdict::of(status) }
    }
}

/// The entries of a sidecar, up to the first that does not check.
struct Entries {
    input: BufReader<Box<dyn super::storage::StorageRead>>,
    number: u64,
    chain: Sum,
}

impl Entries {
    fn open(config: &StoreLogConfig, log: &Path) -> io::Result<Result<Self, Verdict>> {
        let file = match config.storage.open_read(&config.integrity_path()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Err(Verdict::of(Integrity::Absent)));
            }
            Err(error) => return Err(error),
        };
        let mut input = BufReader::new(file);
        let Some(header) = read_record(&mut input)? else {
            return Ok(Err(Verdict::unusable("its header is not complete")));
        };
        let identity = config.storage.identity(log)?;
        let (expected, chain) = header_of(identity);
        if identity.is_some() && header.as_slice() == expected.as_slice() {
            return Ok(Ok(Self { input, number: 0, chain }));
        }
        let (fields, sum) = header.split_at(32);
        Ok(Err(Verdict::unusable(match sha256(&[fields]).as_slice() == sum {
            true => "it belongs to another file or version",
            false => "its header is damaged",
        })))
    }

    fn parse(&mut self, record: &[u8; RECORD]) -> Option<(Block, u64)> {
        let (fields, check) = record.split_at(RECORD - 8);
        let chain = sha256(&[&self.chain, fields]);
        let number = u64_at(fields, 0)?;
        if !chain.starts_with(check) || number != self.number {
            return None;
        }
        let sum = fields.get(24..)?.try_into().ok()?;
        self.chain = chain;
        self.number += 1;
        Some((Block { end: u64_at(fields, 8)?, sum }, u64_at(fields, 16)?))
    }
}

impl Iterator for Entries {
    type Item = io::Result<(Block, u64)>;

    fn next(&mut self) -> Option<Self::Item> {
        match read_record(&mut self.input) {
            Ok(record) => self.parse(&record?).map(Ok),
            Err(error) => Some(Err(error)),
        }
    }
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// Reads 64 bytes; `None` when there are fewer.
fn read_record(input: &mut impl Read) -> io::Result<Option<[u8; RECORD]>> {
    let mut record = [0; RECORD];
    match input.read_exact(&mut record) {
        Ok(()) => Ok(Some(record)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
