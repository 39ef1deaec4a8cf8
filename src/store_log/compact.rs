//! Writing the compacted log: the records of the present state and nothing else (CP-6).

use std::{io, path::Path};

use super::{
    config::{Phase, Progress, StoreLogConfig},
    error::{OpenError, OpenStep},
    integrity::Blocks,
    record::LogRecord,
    replay::ReplayTarget,
    report::CompactReport,
    storage::{StorageFile, folder_of, with_suffix},
};

/// How much is gathered before it is written, in bytes.
const CHUNK: usize = 256 * 1024;

/// Takes records and writes them in large pieces.
struct Sink<'a> {
    config: &'a StoreLogConfig,
    file: &'a mut dyn StorageFile,
    blocks: Option<Blocks>,
    buffer: Vec<u8>,
    report: CompactReport,
}

impl Sink<'_> {
    fn take(&mut self, record: &LogRecord) -> io::Result<()> {
        record.encode(&mut self.buffer);
        self.buffer.push(b'\n');
        self.report.records += 1;
        if self.buffer.len() >= CHUNK { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.buffer)?;
        if let Some(blocks) = &mut self.blocks {
            blocks.append(&self.buffer);
        }
        self.report.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        self.config.report_progress(Progress {
            phase: Phase::Compacting,
            lines: self.report.records,
            bytes: self.report.bytes,
            total_bytes: 0,
        });
        Ok(())
    }
}

/// Writes the state's records to a file; gives what the integrity sidecar needs, where one is
/// wanted.
pub(crate) fn write_state(
    config: &StoreLogConfig,
    file: &mut dyn StorageFile,
    state: &dyn ReplayTarget,
) -> io::Result<(CompactReport, Option<Blocks>)> {
    let mut sink = Sink {
        config,
        file,
        blocks: config.integrity.then(Blocks::default),
        buffer: Vec::with_capacity(CHUNK + CHUNK / 4),
        report: CompactReport::default(),
    };
    state.compacted(&mut |record| sink.take(&record))?;
    sink.write_out()?;
    Ok((sink.report, sink.blocks))
}

/// Writes the compacted log of a replayed state to a new file, which must not exist: to a side file
/// first, then, synced, under its name. The log that was replayed stays as it is.
///
/// # Errors
/// [`OpenError::Io`], with `AlreadyExists` when there is a file of that name. After an error there
/// is none, and the side file is removed where the disk allows it.
pub fn compact_to(
    config: &StoreLogConfig,
    output: &Path,
    state: &dyn ReplayTarget,
) -> Result<CompactReport, OpenError> {
    let storage = &*config.storage;
    if storage.exists(output).map_err(OpenError::io(OpenStep::Inspect, output))? {
        let error = io::Error::new(io::ErrorKind::AlreadyExists, "the file is already there");
        return Err(OpenError::io(OpenStep::Write, output)(error));
    }
    let side = with_suffix(output, ".tmp");
    let written = write_side(config, &side, state).and_then(|report| {
        storage.rename(&side, output).map_err(OpenError::io(OpenStep::Backup, output))?;
        Ok(report)
    });
    if written.is_err() && storage.remove(&side).is_err() {
        tracing::warn!("{}: an unfinished file stays", side.display());
    }
    let report = written?;
    let folder = folder_of(output);
    storage.sync_dir(folder).map_err(OpenError::io(OpenStep::Sync, folder))?;
    Ok(report)
}

fn write_side(
    config: &StoreLogConfig,
    side: &Path,
    state: &dyn ReplayTarget,
) -> Result<CompactReport, OpenError> {
    let at = |step| OpenError::io(step, side);
    let mut file = config.storage.create(side).map_err(at(OpenStep::Write))?;
    let (report, _) = write_state(config, &mut *file, state).map_err(at(OpenStep::Write))?;
    file.sync().map_err(at(OpenStep::Sync))?;
    Ok(report)
}
