//! Loading a store from the lines of a text.

use std::io::{self, Read};
use std::sync::Arc;

use super::report::list_or_log;
use super::{
    NtfFileConfig, NtfFileError, NtfFileStep, NtfLoadReport, NtfLoadWarning, NtfLoadWarningKind,
    NtfRecord, NtfRecordKind,
};
use crate::ntf_store::{NtfStore, NtfStoreError, StoredNtf, Subscription, Token};
use crate::protocol::Semantics;
use crate::protocol::ntf::{SubscriptionRec, TokenNtfRecord, TokenRec};
use crate::stm::{StmResult, Transaction, atomically};
use crate::store_log::lines::{Found, Lines};

/// How many records a transaction applies at least, unless it is the last; more as the file goes on, since each
/// transaction copies what it touches of the maps.
const MIN_BATCH: u64 = 4096;
/// How many it applies at most.
const MAX_BATCH: u64 = 16_384;
/// How many bytes of lines it applies at most, but for the last line.
const MAX_BATCH_BYTES: u64 = 4 * 1024 * 1024;

/// Reads a text of `total` bytes into a new store.
pub(super) fn load_text(
    config: &NtfFileConfig,
    file: impl Read,
    total: u64,
) -> Result<(NtfStore, NtfLoadReport), NtfFileError> {
    let store = new_store(config);
    let report = NtfLoadReport { path: config.path.clone(), ..NtfLoadReport::default() };
    let mut loading = Loading { config, store, batch: Vec::new(), applied: 0, number: 0, report };
    let mut lines = Lines::new(file, config.max_line);
    let at = || NtfFileError::io(NtfFileStep::Read, &config.path);
    while loading.take_line(&mut lines).map_err(at())? {
        if loading.is_full() {
            loading.apply();
            config.report_progress(loading.report.lines, loading.report.bytes, total);
        }
    }
    loading.apply();
    config.report_progress(loading.report.lines, loading.report.bytes, total);
    Ok((loading.store, loading.report))
}

/// An empty store as the configuration asks for it.
pub(super) fn new_store(config: &NtfFileConfig) -> NtfStore {
    match config.last_ntf_limit {
        Some(limit) => NtfStore::with_last_ntf_limit(config.semantics, limit),
        None => NtfStore::new(config.semantics),
    }
}

/// A complete line, read as far as it can be alone.
struct Line {
    number: u64,
    offset: u64,
    read: Result<NtfRecord, NtfLoadWarningKind>,
}

/// A load in progress.
struct Loading<'a> {
    config: &'a NtfFileConfig,
    store: NtfStore,
    /// Lines that are read and not applied yet.
    batch: Vec<Line>,
    /// The offset behind the lines that are applied.
    applied: u64,
    /// How many lines there were, a torn one included.
    number: u64,
    report: NtfLoadReport,
}

impl Loading<'_> {
    /// Reads the next line into the batch; false at the end of the file.
    fn take_line(&mut self, lines: &mut Lines<impl Read>) -> io::Result<bool> {
        let (length, read) = match lines.find()? {
            Found::End => return Ok(false),
            Found::Line => (lines.line().len() as u64, self.parse(lines.line())),
            Found::TooLong(length) => (length, Err(NtfLoadWarningKind::TooLong { length })),
            Found::Torn(length) => (length, Err(NtfLoadWarningKind::TornTail { length })),
        };
        let complete = !matches!(read, Err(NtfLoadWarningKind::TornTail { .. }));
        let offset = self.report.bytes;
        self.number += 1;
        self.report.lines += u64::from(complete);
        self.report.bytes += length + u64::from(complete);
        self.batch.push(Line { number: self.number, offset, read });
        Ok(true)
    }

    fn parse(&self, line: &[u8]) -> Result<NtfRecord, NtfLoadWarningKind> {
        NtfRecord::parse(line, self.config.semantics).map_err(|error| {
            let (reason, length) = (error.to_string(), line.len() as u64);
            NtfLoadWarningKind::Unreadable { reason, length }
        })
    }

    fn is_full(&self) -> bool {
        self.batch.len() as u64 >= (self.number / 4).clamp(MIN_BATCH, MAX_BATCH)
            || self.report.bytes - self.applied >= MAX_BATCH_BYTES
    }

    /// Applies the batch as one transaction.
    fn apply(&mut self) {
        self.applied = self.report.bytes;
        let batch = std::mem::take(&mut self.batch);
        let (store, strict) = (&self.store, self.config.semantics == Semantics::Strict);
        let applied = atomically(|tx| {
            let outcomes = batch.iter().map(|line| match &line.read {
                Ok(record) => apply(store, tx, record, strict),
                Err(_) => Ok(Outcome::default()),
            });
            outcomes.collect::<StmResult<Vec<_>>>()
        });
        for (line, outcome) in batch.into_iter().zip(applied) {
            self.note(line, outcome);
        }
    }

    fn note(&mut self, Line { number, offset, read }: Line, outcome: Outcome) {
        let Outcome { reached, over_limit, lost } = outcome;
        if let (Ok(record), true) = (&read, reached) {
            *match record.kind() {
                NtfRecordKind::Token => &mut self.report.tokens,
                NtfRecordKind::Subscription => &mut self.report.subscriptions,
                NtfRecordKind::LastNtf => &mut self.report.last_ntfs,
            } += 1;
        }
        self.report.over_limit += u64::from(over_limit);
        for kind in read.err().into_iter().chain(lost) {
            self.report.lost += 1;
            let warning = NtfLoadWarning { line: number, offset, kind };
            let list = &mut self.report.warnings;
            list_or_log(list, self.config.max_warnings, warning, "loading");
        }
    }
}

/// What became of a record.
#[derive(Default)]
struct Outcome {
    reached: bool,
    /// It took the place of an older notification.
    over_limit: bool,
    /// Itself, or earlier records that it took the place of.
    lost: Vec<NtfLoadWarningKind>,
}

impl Outcome {
    fn reached() -> Self {
        Self { reached: true, ..Self::default() }
    }

    fn refused(kind: NtfLoadWarningKind) -> Self {
        Self { lost: vec![kind], ..Self::default() }
    }
}

fn apply(
    store: &NtfStore,
    tx: &mut Transaction<'_>,
    record: &NtfRecord,
    strict: bool,
) -> StmResult<Outcome> {
    match record {
        NtfRecord::Token(rec) => apply_token(store, tx, rec),
        NtfRecord::Subscription(rec) => apply_subscription(store, tx, rec, strict),
        NtfRecord::LastNtf(rec) => apply_ntf(store, tx, rec),
    }
}

fn apply_token(store: &NtfStore, tx: &mut Transaction<'_>, rec: &TokenRec) -> StmResult<Outcome> {
    let added = store.add_token_tx(tx, Arc::new(Token::new(rec.clone())))?;
    let twice = added.replaced.map(|earlier| NtfLoadWarningKind::Twice {
        record: NtfRecordKind::Token,
        id: earlier.id().to_string(),
    });
    Ok(Outcome { lost: twice.into_iter().collect(), ..Outcome::reached() })
}

fn apply_subscription(
    store: &NtfStore,
    tx: &mut Transaction<'_>,
    rec: &SubscriptionRec,
    strict: bool,
) -> StmResult<Outcome> {
    let subscription = Arc::new(Subscription::new(rec.clone()));
    let added = match tx.catch_abort(|tx| store.add_subscription_tx(tx, subscription))? {
        Ok(added) => added,
        Err(NtfStoreError::UnknownToken(token)) => {
            let (record, id) = (NtfRecordKind::Subscription, rec.id.to_string());
            return Ok(Outcome::refused(NtfLoadWarningKind::UnknownToken { record, id, token }));
        }
    };
    let twice = added.same_id.map(|earlier| NtfLoadWarningKind::Twice {
        record: NtfRecordKind::Subscription,
        id: earlier.id().to_string(),
    });
    // Under `Reference` both stay, and the later one is found by the queue (NS-14).
    let same_queue = added.same_queue.filter(|_| strict).map(|earlier| {
        let (subscription, earlier) = (rec.id.clone(), earlier.id().clone());
        NtfLoadWarningKind::SameQueue { subscription, earlier }
    });
    Ok(Outcome { lost: twice.into_iter().chain(same_queue).collect(), ..Outcome::reached() })
}

fn apply_ntf(
    store: &NtfStore,
    tx: &mut Transaction<'_>,
    rec: &TokenNtfRecord,
) -> StmResult<Outcome> {
    match store.store_last_ntf_tx(tx, &rec.token_id, Arc::new(rec.ntf.clone()))? {
        StoredNtf::Stored { dropped } => {
            Ok(Outcome { over_limit: dropped.is_some(), ..Outcome::reached() })
        }
        StoredNtf::UnknownToken => Ok(Outcome::refused(NtfLoadWarningKind::UnknownToken {
            record: NtfRecordKind::LastNtf,
            id: rec.token_id.to_string(),
            token: rec.token_id.clone(),
        })),
    }
}
