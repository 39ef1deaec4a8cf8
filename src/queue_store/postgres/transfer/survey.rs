//! The first reading of a journal: whether it is compact, and whether rows can hold its records.

use std::collections::{HashMap, HashSet};
use std::io;

use super::error::UnstorableRecord;
use crate::db::DbError;
use crate::protocol::{
    CertFingerprint, EntityId, QueueRec, RecipientKeys, ServiceId, ServiceRec, ServiceRole,
};
use crate::queue_store::postgres::rows::ServiceRow;
use crate::store_log::{Line, LogRecord, ReplayTarget, ReplayWarning};

/// The longest id that all indexes take, in bytes: an entry of theirs is less than a third of a page. A
/// router's are 24.
const MAX_ID: usize = 2_000;

/// What a journal holds, as far as the database is concerned. Holds the services; of queues, nothing.
#[derive(Debug)]
pub(super) struct Survey {
    /// Nothing but services, each once, and queues.
    compact: bool,
    services: Vec<ServiceRec>,
    queues: u64,
    unstorable: Vec<UnstorableRecord>,
    unstorable_total: u64,
    /// How many records that don't fit are listed one by one.
    limit: usize,
    ids: HashSet<ServiceId>,
    certificates: HashSet<CertFingerprint>,
}

impl Survey {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            compact: true,
            services: Vec::new(),
            queues: 0,
            unstorable: Vec::new(),
            unstorable_total: 0,
            limit,
            ids: HashSet::new(),
            certificates: HashSet::new(),
        }
    }

    /// Whether the records can be sent as they stand, the services before the queues.
    pub(super) fn is_compact(&self) -> bool {
        self.compact
    }

    /// The services, in the order of the file.
    pub(super) fn services(&self) -> &[ServiceRec] {
        &self.services
    }

    /// The role of each service.
    pub(super) fn roles(&self) -> HashMap<ServiceId, ServiceRole> {
        let services = self.services.iter();
        services.map(|service| (service.service_id.clone(), service.role)).collect()
    }

    /// How many queues are created.
    pub(super) fn queues(&self) -> u64 {
        self.queues
    }

    /// Records that no row can hold; a later record may have put them right. How many, and the first.
    pub(super) fn unstorable(&self) -> (u64, &[UnstorableRecord]) {
        (self.unstorable_total, &self.unstorable)
    }

    fn look_at(&mut self, line: &Line) {
        match &line.record {
            LogRecord::CreateQueue(..) => self.queues += 1,
            LogRecord::NewService(service) if self.compact => {
                self.compact = self.ids.insert(service.service_id.clone())
                    && self.certificates.insert(service.cert_hash);
                self.services.push(ServiceRec::clone(service));
            }
            LogRecord::NewService(_) => {}
            _ => self.compact = false,
        }
        let Err(problem) = record_fits(&line.record) else { return };
        self.unstorable_total += 1;
        if self.unstorable.len() < self.limit {
            self.unstorable.push(UnstorableRecord {
                line: line.number,
                entity: entity(&line.record),
                problem,
            });
        }
    }
}

impl ReplayTarget for Survey {
    fn apply(&mut self, batch: Vec<Line>) -> Vec<ReplayWarning> {
        batch.iter().for_each(|line| self.look_at(line));
        if !self.compact {
            // It is replayed: nothing of this is needed then.
            self.services = Vec::new();
            self.ids = HashSet::new();
            self.certificates = HashSet::new();
        }
        Vec::new()
    }

    fn finish(&mut self) -> Vec<ReplayWarning> {
        Vec::new()
    }

    fn compacted(&self, _: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        Ok(())
    }
}

fn entity(record: &LogRecord) -> String {
    match record {
        LogRecord::NewService(service) => service.service_id.to_string(),
        record => record.recipient_id().map(ToString::to_string).unwrap_or_default(),
    }
}

fn record_fits(record: &LogRecord) -> Result<(), String> {
    if let Some(id) = record.recipient_id() {
        id_fits("recipient id", id.entity())?;
    }
    match record {
        LogRecord::CreateQueue(_, record) => queue_fits(record),
        LogRecord::UpdateKeys(_, keys) => keys_fit(keys),
        LogRecord::CreateLink(_, link) => id_fits("link id", link.id.entity()),
        LogRecord::AddNotifier(_, creds) => id_fits("notifier id", creds.notifier_id.entity()),
        LogRecord::NewService(service) => service_fits(service),
        _ => Ok(()),
    }
}

/// Whether a row can hold a queue. Its id is looked at elsewhere, and so are its services'.
pub(super) fn queue_fits(record: &QueueRec) -> Result<(), String> {
    id_fits("sender id", record.sender_id.entity())?;
    if let Some(notifier) = &record.notifier {
        id_fits("notifier id", notifier.notifier_id.entity())?;
    }
    if let Some(link) = &record.link {
        id_fits("link id", link.id.entity())?;
    }
    keys_fit(&record.recipient_keys)
}

/// Whether a row can hold a service.
pub(super) fn service_fits(service: &ServiceRec) -> Result<(), String> {
    id_fits("service id", service.service_id.entity())?;
    ServiceRow::of(service).map(drop).map_err(|error: DbError| error.message().to_owned())
}

/// Whether the indexes take an id.
pub(super) fn id_fits(what: &str, id: &EntityId) -> Result<(), String> {
    match id.as_bytes().len() {
        0..=MAX_ID => Ok(()),
        length => Err(format!("a {what} of {length} bytes: an index takes {MAX_ID}")),
    }
}

fn keys_fit(keys: &RecipientKeys) -> Result<(), String> {
    keys.encode_binary(&mut Vec::new()).map_err(|error| format!("recipient keys: {error}"))
}
