//! The start-up state machine (section 5.2): recover, replay, compact, keep backups.
//!
//! **Promise.** Whatever step a crash, a power loss or a disk error cuts the start at, the next
//! start finds the same state (CR-1 to CR-13). What could not be read is never compacted away in
//! silence: the original stays under a name that no retention deletes.
//!
//! **Algorithm.** With F the log, the steps are:
//!
//! - *lock*: `F.lock` is taken for the life of the journal (RACE-11);
//! - *R1, R2*: where `F.start` exists, an earlier start did not end: F, which may be incomplete,
//!   becomes `F.bak`, and `F.start` becomes F;
//! - *N1*: where there is no F, one is made, and that is all;
//! - *S1*: F is replayed into the store. Damage may end the start here, with nothing changed;
//! - *S2*: F becomes `F.start`;
//! - *S3, S4*: a new F is made and the compacted records are written to it;
//! - *S5*: `F.start` becomes `F.<now>`, or `F.<now>.damaged` where lines could not be read;
//! - *S6*: old timed backups are deleted.
//!
//! **Why the order is right.** As long as `F.start` exists, it is the truth and F is not looked at;
//! so F may be in any state during S3 and S4. S5 makes F the truth, so F's bytes and its name are
//! synced before (CR-12, RACE-9). S2's rename is synced before S3 for the same reason turned round:
//! a new, empty F must not reach the disk before the name `F.start` does. S5's rename is synced
//! before the first append: while the disk still has the name `F.start`, what is appended to F does
//! not count. R1 and R2 need no sync of their own, for whichever of them a power loss takes back,
//! the old log has one of the two names.
//!
//! **Tests.** `tests/store_log/crash_points.rs` ends the start after each single file operation, by
//! process crash and by power loss.

use std::path::Path;

use super::{
    backups,
    compact::write_state,
    config::{OnDamage, StoreLogConfig},
    error::{OpenError, OpenStep},
    integrity::{Blocks, Sidecar},
    journal::Journal,
    log_file::LogFile,
    replay::{ReplayTarget, replay_file},
    report::{CompactReport, ReplayReport, ReplayWarning, StartReport, WarningKind},
    storage::{StorageFile, StorageLock, copy_permissions, folder_of},
};

/// Opens a log for a running store: takes the lock, recovers what an unfinished start left, replays
/// the log into `target`, compacts it, and gives the journal to write to.
///
/// # Errors
/// [`OpenError::Locked`] when somebody owns the log. [`OpenError::Damaged`] when it is damaged and
/// the configuration refuses; nothing on disk is changed then, apart from R1 and R2.
/// [`OpenError::Io`] when a file operation fails; nothing is lost then, and the next start recovers
/// (CR-11). What was put into `target` is of no use after an error.
pub fn start(
    config: &StoreLogConfig,
    target: &mut dyn ReplayTarget,
) -> Result<(Journal, StartReport), OpenError> {
    let lock = take_lock(config)?;
    let recovered = recover(config)?;
    let log = &config.path;
    let exists = config.storage.exists(log).map_err(OpenError::io(OpenStep::Inspect, log))?;
    let (journal, mut report) = match exists {
        true => restart(config, target, lock)?,
        false => first_start(config, target, lock)?,
    };
    report.recovered = recovered;
    if recovered {
        let kind = WarningKind::UnfinishedStart;
        report.replay.warnings.insert(0, ReplayWarning { line: 0, offset: 0, kind });
        report.replay.warnings_total += 1;
    }
    Ok((journal, report))
}

/// Takes the ownership lock.
pub(crate) fn take_lock(config: &StoreLogConfig) -> Result<StorageLock, OpenError> {
    let path = config.lock_path();
    let lock = config.storage.lock(&path).map_err(OpenError::io(OpenStep::Lock, &path))?;
    lock.ok_or_else(|| OpenError::Locked { path: config.path.clone() })
}

/// R1 and R2; whether there was anything to recover from.
pub(crate) fn recover(config: &StoreLogConfig) -> Result<bool, OpenError> {
    let storage = &*config.storage;
    let (log, start) = (&config.path, config.start_path());
    if !storage.exists(&start).map_err(OpenError::io(OpenStep::Inspect, &start))? {
        return Ok(false);
    }
    tracing::warn!("{}: the last start did not end, recovering", log.display());
    if storage.exists(log).map_err(OpenError::io(OpenStep::Inspect, log))? {
        storage.rename(log, &config.bak_path()).map_err(OpenError::io(OpenStep::Recover, log))?;
    }
    storage.rename(&start, log).map_err(OpenError::io(OpenStep::Recover, &start))?;
    Ok(true)
}

fn sync_folder(config: &StoreLogConfig, step: OpenStep) -> Result<(), OpenError> {
    let folder = folder_of(&config.path);
    config.storage.sync_dir(folder).map_err(OpenError::io(step, folder))
}

/// N1: there was no log.
fn first_start(
    config: &StoreLogConfig,
    target: &mut dyn ReplayTarget,
    lock: StorageLock,
) -> Result<(Journal, StartReport), OpenError> {
    let (file, compacted, blocks) = write_log(config, None, target)?;
    let mut report = StartReport { created: true, compacted, ..StartReport::default() };
    if let Some(newest) = backups::newest(config) {
        let kind = WarningKind::BackupsWithoutLog { newest };
        report.replay.warnings.push(ReplayWarning { line: 0, offset: 0, kind });
        report.replay.warnings_total = 1;
    }
    Ok((journal(config, file, compacted.bytes, blocks, lock), report))
}

/// S1 to S6: there is a log.
fn restart(
    config: &StoreLogConfig,
    target: &mut dyn ReplayTarget,
    lock: StorageLock,
) -> Result<(Journal, StartReport), OpenError> {
    let (storage, log, start) = (&*config.storage, &config.path, config.start_path());
    let replay = replay_file(config, log, target)?;
    refuse_damage(config, &replay)?;
    storage.rename(log, &start).map_err(OpenError::io(OpenStep::SetAside, log))?;
    sync_folder(config, OpenStep::SetAside)?;
    let (file, compacted, blocks) = write_log(config, Some(&start), target)?;
    let damaged = replay.unreadable > 0 || replay.damage_total > 0;
    let backup =
        backups::free_name(config, damaged).map_err(OpenError::io(OpenStep::Inspect, log))?;
    storage.rename(&start, &backup).map_err(OpenError::io(OpenStep::Backup, &start))?;
    sync_folder(config, OpenStep::Backup)?;
    let retention = backups::retain(config);
    let report = StartReport {
        replay,
        compacted,
        backup: Some(backup),
        removed_backups: retention.removed,
        retention_errors: retention.errors,
        ..StartReport::default()
    };
    Ok((journal(config, file, compacted.bytes, blocks, lock), report))
}

fn refuse_damage(config: &StoreLogConfig, replay: &ReplayReport) -> Result<(), OpenError> {
    let refused = match config.on_damage {
        OnDamage::Refuse => replay.damage_total,
        OnDamage::RefuseIfProven => replay.damage_proven,
        OnDamage::Skip => 0,
    };
    if refused == 0 {
        return Ok(());
    }
    Err(OpenError::Damaged {
        path: config.path.clone(),
        damage: replay.damage.clone(),
        total: replay.damage_total,
    })
}

/// A log that was just written and synced, and what its sidecar needs.
type Written = (Box<dyn StorageFile>, CompactReport, Option<Blocks>);

/// S3 and S4: makes F, with the access rights of the old one, writes the state to it, and brings
/// its bytes and its name to stable storage.
fn write_log(
    config: &StoreLogConfig,
    old: Option<&Path>,
    state: &dyn ReplayTarget,
) -> Result<Written, OpenError> {
    let at = |step| OpenError::io(step, &config.path);
    let mut file = config.storage.create(&config.path).map_err(at(OpenStep::Write))?;
    if let Some(old) = old {
        copy_permissions(&*config.storage, old, &config.path);
    }
    let (report, blocks) = write_state(config, &mut *file, state).map_err(at(OpenStep::Write))?;
    file.sync().map_err(at(OpenStep::Sync))?;
    sync_folder(config, OpenStep::Sync)?;
    Ok((file, report, blocks))
}

/// The journal on a log that was just written and synced.
fn journal(
    config: &StoreLogConfig,
    file: Box<dyn StorageFile>,
    length: u64,
    blocks: Option<Blocks>,
    lock: StorageLock,
) -> Journal {
    let sidecar = blocks.and_then(|blocks| sidecar(config, blocks));
    let file = LogFile::new(file, length, config.durability, sidecar);
    Journal::new(file, config.durability, lock)
}

/// A sidecar that cannot be made is only a warning: the log is whole without it.
fn sidecar(config: &StoreLogConfig, blocks: Blocks) -> Option<Sidecar> {
    let path = config.integrity_path();
    match Sidecar::create(&*config.storage, &config.path, &path, blocks) {
        Ok(sidecar) => Some(sidecar),
        Err(error) => {
            tracing::warn!("{}: no integrity sidecar: {error}", path.display());
            None
        }
    }
}
