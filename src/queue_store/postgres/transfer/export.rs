//! A database into a journal.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::content::{self, Content, RowsDigest, Tally};
use super::error::TransferError;
use super::import::{OnProgress, REPORT_EVERY, for_transfers};
use super::report::{ExportReport, TransferPhase, TransferProgress, Unreadable};
use super::rows_out::{RowRead, each_live_row, services};
use crate::db::postgres::{Pool, PostgresConfig, Transaction};
use crate::protocol::{EntityStatus, QueueRec, RecipientId, Semantics};
use crate::queue_store::postgres::layout;
use crate::queue_store::postgres::maintenance::drifted_services;
use crate::store_log::{self, LogRecord, OpenError, OpenStep, StorageFile, StoreLogConfig};

/// How much is gathered before it is written, in bytes.
const CHUNK: usize = 256 * 1024;

/// How a database is exported.
#[derive(Clone, Default)]
pub struct ExportOptions {
    overwrite: bool,
    skip_unreadable: bool,
    progress: Option<OnProgress>,
}

impl ExportOptions {
    /// Replaces a file of that name, instead of refusing.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Leaves out rows that can't be read, instead of failing at the end. The report names them.
    #[must_use]
    pub fn skip_unreadable(mut self, skip: bool) -> Self {
        self.skip_unreadable = skip;
        self
    }

    /// Reports progress while queues are fetched.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(TransferProgress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    fn report(&self, phase: TransferPhase, queues: u64, total: u64) {
        if let Some(progress) = &self.progress {
            progress(TransferProgress { phase, queues, total });
        }
    }
}

impl fmt::Debug for ExportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportOptions")
            .field("overwrite", &self.overwrite)
            .field("skip_unreadable", &self.skip_unreadable)
            .finish_non_exhaustive()
    }
}

/// Exports a schema as a compacted journal: services in order of their ids, then live queues in order of
/// theirs, with link data, as they are at one moment.
///
/// The file is written beside its place, synced and renamed; its journal's lock is held meanwhile. Queues
/// take constant memory. A row that can't be read ends the export when all such rows are found, or is
/// left out.
///
/// # Errors
///
/// [`TransferError`]; there is no new file then, but where only the last sync of its folder failed.
pub fn export(
    database: &PostgresConfig,
    log: &StoreLogConfig,
    options: &ExportOptions,
) -> Result<ExportReport, TransferError> {
    let pool = Pool::open(&for_transfers(database))?;
    let schema = database.schema_name().as_str();
    pool.snapshot("export", |tx| layout::require(tx, schema))?;
    refuse_existing(log, options)?;
    let _lock = store_log::take_lock(log)?;
    refuse_existing(log, options)?;
    let failed = |path: &Path, error: io::Error| {
        TransferError::Log(OpenError::io(OpenStep::Write, path)(error))
    };
    store_log::replace_file(&*log.storage, &log.path, failed, |file, side| {
        pool.snapshot("export", |tx| {
            Exporting { file: Records::new(file, side), limit: log.max_warnings, options }.run(tx)
        })
    })
}

fn refuse_existing(log: &StoreLogConfig, options: &ExportOptions) -> Result<(), TransferError> {
    let (path, start) = (&log.path, log.start_path());
    let exists =
        |path: &Path| log.storage.exists(path).map_err(OpenError::io(OpenStep::Inspect, path));
    if exists(&start)? {
        return Err(TransferError::UnfinishedStart { path: path.clone() });
    }
    match exists(path)? && !options.overwrite {
        true => Err(TransferError::FileExists { path: path.clone() }),
        false => Ok(()),
    }
}

/// An export whose file is open.
struct Exporting<'a> {
    file: Records<'a>,
    limit: usize,
    options: &'a ExportOptions,
}

impl Exporting<'_> {
    fn run(mut self, tx: &mut Transaction<'_>) -> Result<ExportReport, TransferError> {
        self.options.report(TransferPhase::AddingUp, 0, 0);
        let mut expected = content::read(tx)?;
        let drifted_services = drifted_services(tx)?;
        let total = expected.queues;
        let mut unreadable = Unreadable::new(self.limit);
        let mut tally = Tally::default();
        for (id, service) in services(tx)? {
            match service {
                Ok(service) => {
                    tally.service(&service)?;
                    self.file.write(&LogRecord::NewService(Box::new(service)))?;
                }
                Err(error) => unreadable.push(&id, error),
            }
        }
        let services_left_out = unreadable.total;
        let (mut rows, mut restored, mut strict_only) = (0, 0, 0);
        each_live_row(tx, |row| {
            rows += 1;
            if row.is_odd() || row.problem().is_some() {
                adjust(&mut expected, &row);
            }
            restored += u64::from(row.is_odd());
            match row.queue {
                Ok((id, record)) => {
                    let (id, record) = self.queue(id, record)?;
                    tally.queue(&id, &record)?;
                    strict_only += u64::from(is_strict_only(&self.file.line, &record));
                }
                Err(error) => unreadable.push(&row.id, error),
            }
            if rows % REPORT_EVERY == 0 {
                self.options.report(TransferPhase::Copying, rows, total);
            }
            Ok::<_, TransferError>(())
        })?;
        if unreadable.total > 0 && !self.options.skip_unreadable {
            let Unreadable { rows, total, .. } = unreadable;
            return Err(TransferError::UnreadableRows { rows, total });
        }
        let bytes = self.file.finish()?;
        let content = compared(tally.into_content(), expected, services_left_out)?;
        Ok(ExportReport {
            content,
            bytes,
            restored,
            left_out: unreadable.rows,
            left_out_total: unreadable.total,
            strict_only,
            drifted_services,
        })
    }

    /// Writes a queue, and gives it as it is read from the line that was written.
    fn queue(
        &mut self,
        id: RecipientId,
        record: QueueRec,
    ) -> Result<(RecipientId, Arc<QueueRec>), TransferError> {
        self.file.write(&LogRecord::CreateQueue(id, Arc::new(record)))?;
        let line = self.file.line.strip_suffix(b"\n").unwrap_or_default();
        match LogRecord::parse(line, Semantics::Strict) {
            Ok(LogRecord::CreateQueue(id, record)) => Ok((id, record)),
            _ => Err(self.file.failed(io::Error::other("a record that was written can't be read"))),
        }
    }
}

/// What the records should add up to: a row that was left out, or says the same in another form, is not
/// what the database counted.
fn adjust(expected: &mut Content, row: &RowRead) {
    let record = row.queue().map(|(_, record)| record);
    let without = |count: &mut u64, had: bool, has: bool| *count -= u64::from(had && !has);
    without(&mut expected.queues, true, record.is_some());
    without(
        &mut expected.notifiers,
        row.has_notifier,
        record.is_some_and(|record| record.notifier.is_some()),
    );
    without(&mut expected.links, row.has_link, record.is_some_and(|record| record.link.is_some()));
    let digest = if record.is_some() { row.rewritten } else { RowsDigest::EMPTY };
    expected.queues_digest = expected.queues_digest.xor(row.digest).xor(digest);
}

/// The content of the file, unless the database has another. Aggregates of services aren't compared: a
/// journal doesn't have them, and what is wrong with them in the database is told by itself.
fn compared(
    mut records: Content,
    mut expected: Content,
    services_left_out: u64,
) -> Result<Content, TransferError> {
    let service_queues = std::mem::take(&mut records.service_queues);
    expected.service_queues.clear();
    if services_left_out > 0 {
        expected.services = expected.services.saturating_sub(services_left_out);
        expected.services_digest = records.services_digest;
    }
    let differences = records.differences(&expected);
    if !differences.is_empty() {
        return Err(TransferError::Different(differences));
    }
    Ok(Content { service_queues, ..records })
}

/// Whether the reference can't read the line (JR-20, JR-21).
fn is_strict_only(line: &[u8], record: &QueueRec) -> bool {
    let may_be = record.link.is_some() || matches!(record.status, EntityStatus::Blocked(_));
    let line = line.strip_suffix(b"\n").unwrap_or_default();
    may_be && LogRecord::parse(line, Semantics::Reference).is_err()
}

/// Writes records as lines, in large pieces.
struct Records<'f> {
    file: &'f mut dyn StorageFile,
    path: &'f Path,
    /// The line that was written last.
    line: Vec<u8>,
    gathered: Vec<u8>,
    bytes: u64,
}

impl<'f> Records<'f> {
    fn new(file: &'f mut dyn StorageFile, path: &'f Path) -> Self {
        Self { file, path, line: Vec::new(), gathered: Vec::new(), bytes: 0 }
    }

    fn write(&mut self, record: &LogRecord) -> Result<(), TransferError> {
        self.line.clear();
        record.encode(&mut self.line);
        self.line.push(b'\n');
        self.gathered.extend_from_slice(&self.line);
        if self.gathered.len() < CHUNK { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), TransferError> {
        let written = self.file.write_all(&self.gathered);
        written.map_err(|error| self.failed(error))?;
        self.bytes += self.gathered.len() as u64;
        self.gathered.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<u64, TransferError> {
        self.flush()?;
        Ok(self.bytes)
    }

    fn failed(&self, error: io::Error) -> TransferError {
        OpenError::io(OpenStep::Write, self.path)(error).into()
    }
}
