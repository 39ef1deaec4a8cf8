//! Timed backups: their names and how long they stay.
//!
//! **Promise.** A backup never replaces another. Retention deletes what CP-9 says and nothing else,
//! by the name it found; when it can't, it says so and the start goes on (CP-11, RACE-10).
//!
//! **Tests.** `tests/store_log/backups.rs`.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
};

use time::OffsetDateTime;

use super::{
    config::{Clock, StoreLogConfig},
    report::RetentionError,
    storage::{Storage, folder_of, with_suffix},
};
use crate::encoding::timestamp::{self, Timestamp};

const DAY: i64 = 86_400;

/// Backups younger than this stay.
const KEEP_SECONDS: i64 = DAY;

/// Of the older ones, this many stay.
const KEEP_COUNT: usize = 3;

/// Of the others, those younger than this stay.
const KEEP_LONG_SECONDS: i64 = 21 * DAY;

/// Behind the timestamp of a backup with lines that could not be read. No such name is a timestamp
/// (CP-10), so neither this program's retention nor the reference's ever deletes it.
const DAMAGED: &str = ".damaged";

/// A name for a backup made now that no file has yet (CP-8).
pub(crate) fn free_name(config: &StoreLogConfig, damaged: bool) -> io::Result<PathBuf> {
    free(config, |stamp| {
        let mark = if damaged { DAMAGED } else { "" };
        with_suffix(&config.path, &format!(".{stamp}{mark}"))
    })
}

/// A name for a torn last line that is cut off now.
pub(crate) fn torn_name(config: &StoreLogConfig) -> io::Result<PathBuf> {
    free(config, |stamp| with_suffix(&config.path, &format!(".torn.{stamp}")))
}

fn free(config: &StoreLogConfig, name: impl Fn(&str) -> PathBuf) -> io::Result<PathBuf> {
    free_path(&*config.storage, &config.clock, name)
}

/// The first name that no file has, from the present time on, one nanosecond later at a time.
pub(crate) fn free_path(
    storage: &dyn Storage,
    clock: &Clock,
    name: impl Fn(&str) -> PathBuf,
) -> io::Result<PathBuf> {
    let mut time = clock();
    loop {
        let text = timestamp::format(time.unix_timestamp(), time.nanosecond());
        let path = name(&text.ok_or_else(|| io::Error::other("the clock's year has no text"))?);
        if !storage.exists(&path)? {
            return Ok(path);
        }
        time += time::Duration::NANOSECOND;
    }
}

/// What retention did.
#[derive(Debug, Default)]
pub(crate) struct Retention {
    pub(crate) removed: Vec<PathBuf>,
    pub(crate) errors: Vec<RetentionError>,
}

/// Deletes old timed backups (S6, CP-9).
pub(crate) fn retain(config: &StoreLogConfig) -> Retention {
    let mut done = Retention::default();
    let folder = folder_of(&config.path);
    let names = match config.storage.list(folder) {
        Ok(names) => names,
        Err(error) => {
            tracing::warn!("store log: backups not listed: {error}");
            done.errors.push(RetentionError { path: folder.to_owned(), error });
            return done;
        }
    };
    for name in outdated(&config.path, names, (config.clock)()) {
        let path = folder.join(name);
        match config.storage.remove(&path) {
            Ok(()) => done.removed.push(path),
            Err(error) => {
                tracing::warn!("store log: backup {} not deleted: {error}", path.display());
                done.errors.push(RetentionError { path, error });
            }
        }
    }
    done
}

/// The newest timed backup, when there is one and the folder can be listed.
pub(crate) fn newest(config: &StoreLogConfig) -> Option<PathBuf> {
    let (base, folder) = (config.path.file_name()?, folder_of(&config.path));
    let names = config.storage.list(folder).ok()?;
    let timed = names.into_iter().filter_map(|name| Some((backup_time(base, &name)?, name)));
    timed.max().map(|(_, name)| folder.join(name))
}

/// The names that retention deletes, oldest first.
fn outdated(log: &Path, names: Vec<OsString>, now: OffsetDateTime) -> Vec<OsString> {
    let Some(base) = log.file_name() else { return Vec::new() };
    let ago =
        |seconds| Timestamp { seconds: now.unix_timestamp() - seconds, nanos: now.nanosecond() };
    let day_ago = ago(KEEP_SECONDS);
    let mut old: Vec<(Timestamp, OsString)> = names
        .into_iter()
        .filter_map(|name| Some((backup_time(base, &name)?, name)))
        .filter(|(time, _)| *time < day_ago)
        .collect();
    old.sort();
    old.truncate(old.len().saturating_sub(KEEP_COUNT));
    let limit = ago(KEEP_LONG_SECONDS);
    old.into_iter().filter(|(time, _)| *time < limit).map(|(_, name)| name).collect()
}

/// When the backup of this name was made; `None` for what is not a timed backup of the log.
fn backup_time(base: &OsStr, name: &OsStr) -> Option<Timestamp> {
    let suffix = name.as_encoded_bytes().strip_prefix(base.as_encoded_bytes())?;
    let stamp = suffix.strip_prefix(b".")?;
    timestamp::parse(stamp)
}
