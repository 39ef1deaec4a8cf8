//! Saving and loading a store as a binary snapshot.

use super::{NtfFileConfig, NtfFileError, NtfFileForm, NtfFileStep, NtfLoadReport, NtfSaveReport};
use crate::ntf_store::{NtfSnapshot, NtfStore};
use crate::protocol::Semantics;
use crate::store_log::{self, SnapshotKind};

/// The kind of a store's binary snapshot.
pub const NTF_SNAPSHOT: SnapshotKind = *b"NTFSTORE";

pub(super) fn save_binary(
    config: &NtfFileConfig,
    snapshot: &NtfSnapshot,
) -> Result<NtfSaveReport, NtfFileError> {
    let path = &config.path;
    let bytes = store_log::write_snapshot(&*config.storage, path, NTF_SNAPSHOT, snapshot)
        .map_err(|error| NtfFileError::snapshot(NtfFileStep::Write, path, error))?;
    let counted = snapshot.report();
    Ok(NtfSaveReport {
        path: path.clone(),
        form: NtfFileForm::Binary,
        bytes,
        tokens: counted.tokens as u64,
        subscriptions: counted.subscriptions as u64,
        last_ntfs: counted.last_ntfs as u64,
        services: snapshot.services.len() as u64,
        ..NtfSaveReport::default()
    })
}

/// Reads a snapshot of `bytes` bytes. Whatever it holds, the store is one that its semantics allows: the checksum
/// shows that the bytes are as they were written, and not who wrote them.
pub(super) fn load_binary(
    config: &NtfFileConfig,
    bytes: u64,
) -> Result<(NtfStore, NtfLoadReport), NtfFileError> {
    let path = &config.path;
    let read = store_log::read_snapshot(&*config.storage, path, NTF_SNAPSHOT);
    let mut snapshot: NtfSnapshot =
        read.map_err(|error| NtfFileError::snapshot(NtfFileStep::Read, path, error))?;
    if let Some(list) = first_disordered(&snapshot) {
        return Err(NtfFileError::Disordered { path: path.clone(), list });
    }
    let over_limit = take_configuration(config, &mut snapshot);
    if config.semantics == Semantics::Strict {
        refuse_violations(config, &snapshot)?;
    }
    let counted = snapshot.report();
    let report = NtfLoadReport {
        path: path.clone(),
        form: NtfFileForm::Binary,
        bytes,
        tokens: counted.tokens as u64,
        subscriptions: counted.subscriptions as u64,
        last_ntfs: counted.last_ntfs as u64,
        services: snapshot.services.len() as u64,
        over_limit,
        ..NtfLoadReport::default()
    };
    Ok((NtfStore::from_snapshot(snapshot), report))
}

/// The first list that has an entry twice or out of order: making a store of it would lose entries in silence,
/// and the check of the lists would not be one of the store.
fn first_disordered(snapshot: &NtfSnapshot) -> Option<&'static str> {
    let mut devices = snapshot.registrations.iter();
    let mut sets = snapshot.token_subscriptions.iter();
    let checks = [
        ("tokens", ascends(&snapshot.tokens, |rec| &rec.id)),
        ("device tokens", ascends(&snapshot.registrations, |one| &one.device)),
        (
            "the tokens of a device",
            devices.all(|device| ascends(&device.tokens, |one| (&one.key, &one.token_id))),
        ),
        ("subscriptions", ascends(&snapshot.subscriptions, |rec| &rec.id)),
        ("the sets of subscriptions", ascends(&snapshot.token_subscriptions, |(id, _)| id)),
        ("the subscriptions of a token", sets.all(|(_, ids)| ascends(ids, |id| id))),
        ("queues", ascends(&snapshot.queue_subscriptions, |(queue, _)| queue)),
        ("the lists of notifications", ascends(&snapshot.last_ntfs, |(id, _)| id)),
        ("services", ascends(&snapshot.services, |(server, _)| server)),
    ];
    checks.into_iter().find(|(_, holds)| !holds).map(|(list, _)| list)
}

fn ascends<'a, T, K: Ord + 'a>(list: &'a [T], key: impl Fn(&'a T) -> K) -> bool {
    list.windows(2).all(|pair| match pair {
        [first, second] => key(first) < key(second),
        _ => true,
    })
}

/// Gives the snapshot the semantics and the limit of the store that is to be made; how many notifications
/// that drops, each token's oldest.
fn take_configuration(config: &NtfFileConfig, snapshot: &mut NtfSnapshot) -> u64 {
    let same = snapshot.semantics == config.semantics;
    let explicit = config.last_ntf_limit;
    snapshot.semantics = config.semantics;
    if explicit.is_none() && same {
        return 0;
    }
    snapshot.last_ntf_limit = super::load::new_store(config).last_ntf_limit();
    let limit = snapshot.last_ntf_limit.map_or(usize::MAX, |limit| limit.get());
    let mut dropped = 0;
    for (_, ntfs) in &mut snapshot.last_ntfs {
        dropped += ntfs.len().saturating_sub(limit) as u64;
        ntfs.truncate(limit);
    }
    dropped
}

fn refuse_violations(config: &NtfFileConfig, snapshot: &NtfSnapshot) -> Result<(), NtfFileError> {
    let mut violations = snapshot.violations();
    if violations.is_empty() {
        return Ok(());
    }
    let total = violations.len() as u64;
    // One is always listed: the error's text is about the first.
    violations.truncate(config.max_warnings.max(1));
    Err(NtfFileError::Inconsistent { path: config.path.clone(), violations, total })
}
