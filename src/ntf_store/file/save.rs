//! Saving a store as a text.
//!
//! **Algorithm.** Tokens come first, so that whatever belongs to one finds it; those that have no registration
//! before those that have theirs, since each takes it when it is loaded. Then subscriptions, those that
//! their queues lead to last; then last notifications, each token's oldest first. Each line
//! is read again before it is written, so that no line is written that a strict load refuses.

use std::collections::{BTreeMap, HashSet};
use std::io;

use super::report::list_or_log;
use super::{
    NtfFileConfig, NtfFileError, NtfFileForm, NtfFileStep, NtfNotHeldItem, NtfRecord,
    NtfRecordKind, NtfSaveReport,
};
use crate::ntf_store::{NtfSnapshot, RegistrationKey};
use crate::protocol::ntf::{DeviceToken, TokenNtfRecord, TokenRec};
use crate::protocol::{Semantics, SubscriptionId, TokenId};
use crate::store_log::{StorageFile, replace_file};

/// How much is gathered before it is written, in bytes.
const CHUNK: usize = 256 * 1024;

pub(super) fn save_text(
    config: &NtfFileConfig,
    snapshot: &NtfSnapshot,
) -> Result<NtfSaveReport, NtfFileError> {
    let failed = |path: &_, error| NtfFileError::io(NtfFileStep::Write, path)(error);
    replace_file(&*config.storage, &config.path, failed, |file, side| {
        let report = NtfSaveReport {
            path: config.path.clone(),
            form: NtfFileForm::Text,
            ..NtfSaveReport::default()
        };
        let buffer = Vec::with_capacity(CHUNK + CHUNK / 4);
        let semantics = snapshot.semantics;
        let mut saving = Saving { config, semantics, file, buffer, line: Vec::new(), report };
        saving.take_all(snapshot).map_err(NtfFileError::io(NtfFileStep::Write, side))?;
        saving.note_not_held(snapshot);
        Ok(saving.report)
    })
}

/// A save in progress.
struct Saving<'a> {
    config: &'a NtfFileConfig,
    semantics: Semantics,
    file: &'a mut dyn StorageFile,
    buffer: Vec<u8>,
    line: Vec<u8>,
    report: NtfSaveReport,
}

impl Saving<'_> {
    fn take_all(&mut self, snapshot: &NtfSnapshot) -> io::Result<()> {
        let holders = holders(snapshot);
        for holds in [false, true] {
            let tokens = snapshot.tokens.iter().filter(|rec| holders.contains(&rec.id) == holds);
            for rec in tokens {
                self.take(&NtfRecord::Token(Box::new(rec.clone())))?;
            }
        }
        let found: HashSet<&SubscriptionId> =
            snapshot.queue_subscriptions.iter().map(|(_, id)| id).collect();
        for is_found in [false, true] {
            let subscriptions = snapshot.subscriptions.iter();
            for rec in subscriptions.filter(|rec| found.contains(&rec.id) == is_found) {
                self.take(&NtfRecord::Subscription(Box::new(rec.clone())))?;
            }
        }
        for (token_id, ntfs) in &snapshot.last_ntfs {
            for ntf in ntfs.iter().rev() {
                let (token_id, ntf) = (token_id.clone(), ntf.as_ref().clone());
                self.take(&NtfRecord::LastNtf(Box::new(TokenNtfRecord { token_id, ntf })))?;
            }
        }
        self.write_out()
    }

    fn take(&mut self, record: &NtfRecord) -> io::Result<()> {
        self.line.clear();
        record.encode(&mut self.line);
        // Only what is free text can have one: the text of an error.
        self.line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        if let Err(reason) = self.check(record) {
            self.report.not_held.left_out += 1;
            let (record, id) = (record.kind(), record.id());
            self.list(NtfNotHeldItem::LeftOut { record, id, reason });
            return Ok(());
        }
        *match record.kind() {
            NtfRecordKind::Token => &mut self.report.tokens,
            NtfRecordKind::Subscription => &mut self.report.subscriptions,
            NtfRecordKind::LastNtf => &mut self.report.last_ntfs,
        } += 1;
        self.buffer.extend_from_slice(&self.line);
        self.buffer.push(b'\n');
        if self.buffer.len() >= CHUNK { self.write_out() } else { Ok(()) }
    }

    /// Whether the line that stands ready will be read as the record; why not at all.
    fn check(&mut self, record: &NtfRecord) -> Result<(), String> {
        if self.line.len() > self.config.max_line {
            return Err(format!("its line has {} bytes, too many to be read", self.line.len()));
        }
        let (read, only_strict) = match NtfRecord::parse(&self.line, self.semantics) {
            Err(_) if self.semantics == Semantics::Reference => {
                (NtfRecord::parse(&self.line, Semantics::Strict), true)
            }
            read => (read, false),
        };
        let read = read.map_err(|error| format!("it could not be read again: {error}"))?;
        if only_strict {
            self.report.not_held.strict_only += 1;
            self.list(NtfNotHeldItem::StrictOnly { record: record.kind(), id: record.id() });
        }
        if read == *record {
            return Ok(());
        }
        if (read.kind(), read.id()) != (record.kind(), record.id()) {
            return Err("it would be read as another record".to_owned());
        }
        self.report.not_held.altered += 1;
        self.list(NtfNotHeldItem::Altered { record: record.kind(), id: record.id() });
        Ok(())
    }

    fn write_out(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.buffer)?;
        self.report.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Notes what no record says.
    fn note_not_held(&mut self, snapshot: &NtfSnapshot) {
        for (server, _) in &snapshot.services {
            self.report.not_held.services += 1;
            self.list(NtfNotHeldItem::Service(server.clone()));
        }
        for token in without_holder(snapshot) {
            self.report.not_held.registrations += 1;
            self.list(NtfNotHeldItem::Registration(token));
        }
        // A strict store has none.
        if self.semantics == Semantics::Reference {
            self.report.not_held.index_entries = snapshot.violations().len() as u64;
        }
    }

    fn list(&mut self, item: NtfNotHeldItem) {
        let list = &mut self.report.not_held.items;
        list_or_log(list, self.config.max_warnings, item, "saving");
    }
}

/// The tokens that have a registration under their own device token and key.
fn holders(snapshot: &NtfSnapshot) -> HashSet<&TokenId> {
    let tokens: BTreeMap<&TokenId, &TokenRec> =
        snapshot.tokens.iter().map(|rec| (&rec.id, rec)).collect();
    let registered = snapshot.registrations.iter().flat_map(|device| {
        let held = device.tokens.iter().filter(|one| one.registered);
        held.map(|one| (&device.device, one))
    });
    let own = registered.filter(|(device, one)| {
        tokens.get(&one.token_id).is_some_and(|rec| {
            rec.device == **device && RegistrationKey::from(&rec.verify_key) == one.key
        })
    });
    own.map(|(_, one)| &one.token_id).collect()
}

/// Of each device token and key that tokens have and whose registration none of them holds, the token that will
/// hold it: the last one.
fn without_holder(snapshot: &NtfSnapshot) -> Vec<TokenId> {
    let holders = holders(snapshot);
    let mut last: BTreeMap<(&DeviceToken, RegistrationKey), Option<&TokenId>> = BTreeMap::new();
    for rec in &snapshot.tokens {
        let of_key = last.entry((&rec.device, RegistrationKey::from(&rec.verify_key)));
        let of_key = of_key.or_insert(Some(&rec.id));
        *of_key = match *of_key {
            Some(_) if !holders.contains(&rec.id) => Some(&rec.id),
            _ => None,
        };
    }
    last.into_values().flatten().cloned().collect()
}
