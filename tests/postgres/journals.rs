//! Journals for transfers, the same ones for each seed.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};
use simplex_stores::protocol::{
    QueueRec, RecipientId, Semantics, ServiceId, ServiceParty, ServiceRec, ServiceRole,
};
use simplex_stores::queue_store::{BasicFactory, StmQueueStore};
use simplex_stores::store_log::{self, LogRecord, StoreLogConfig};
use tempfile::TempDir;

/// A folder with a journal in it.
pub(crate) struct Journal {
    folder: TempDir,
}

impl Journal {
    pub(crate) fn of(records: &[LogRecord]) -> Self {
        Self::of_bytes(&lines(records))
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let journal = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(journal.path(), bytes).unwrap();
        journal
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.beside("store.log")
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> StoreLogConfig {
        StoreLogConfig::new(self.path())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    /// The compacted journal, as the store in memory writes it.
    pub(crate) fn compacted(&self) -> Vec<u8> {
        compacted(&self.path())
    }
}

/// The compacted journal of the one at `path`, as the store in memory writes it.
pub(crate) fn compacted(path: &Path) -> Vec<u8> {
    let config = StoreLogConfig::new(path);
    let (store, _) = StmQueueStore::replay(&config, BasicFactory).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("compacted.log");
    store_log::compact_to(&config, &output, &store.replayer()).unwrap();
    fs::read(output).unwrap()
}

pub(crate) fn lines(records: &[LogRecord]) -> Vec<u8> {
    let mut lines = Vec::new();
    for record in records {
        record.encode(&mut lines);
        lines.push(b'\n');
    }
    lines
}

/// Values of the crate's generators.
pub(crate) struct Drawn {
    source: Gen,
    taken: HashSet<Vec<u8>>,
}

impl Drawn {
    pub(crate) fn from(seed: u64) -> Self {
        Self { source: Gen::from_size_and_seed(20, seed), taken: HashSet::new() }
    }

    pub(crate) fn any<T: Arbitrary>(&mut self) -> T {
        T::arbitrary(&mut self.source)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.any::<usize>() % bound
    }

    fn is_new(&mut self, kind: u8, id: &[u8]) -> bool {
        self.taken.insert([&[kind], id].concat())
    }

    /// Services that fit their rows, of each role, in order of their ids.
    pub(crate) fn services(&mut self, count: usize) -> Vec<ServiceRec> {
        let roles = [ServiceRole::Messaging, ServiceRole::Notifier, ServiceRole::Proxy];
        let mut services = Vec::new();
        while services.len() < count {
            let mut service: ServiceRec = self.any();
            service.role = roles[services.len() % roles.len()];
            let fits = !service.cert_chain.certificates().is_empty();
            if fits && self.is_new(b'v', service.service_id.as_bytes()) {
                services.push(service);
            }
        }
        services.sort_by(|one, other| one.service_id.cmp(&other.service_id));
        services
    }

    /// One of the services that fit, or none.
    fn association(&mut self, role: ServiceRole, of: &[ServiceRec]) -> Option<ServiceId> {
        let fitting: Vec<_> = of.iter().filter(|service| service.role == role).collect();
        if fitting.is_empty() || self.below(3) > 0 {
            return None;
        }
        Some(fitting[self.below(fitting.len())].service_id.clone())
    }

    /// A queue that has no id in common with any other of this source.
    pub(crate) fn queue(&mut self, services: &[ServiceRec]) -> (RecipientId, QueueRec) {
        loop {
            let (id, mut record): (RecipientId, QueueRec) = self.any();
            record.rcv_service_id = self.association(ServiceRole::Messaging, services);
            if let Some(notifier) = &mut record.notifier {
                notifier.service_id = None;
            }
            let service = self.association(ServiceRole::Notifier, services);
            if let Some(notifier) = &mut record.notifier {
                notifier.service_id = service;
            }
            let mut new = self.is_new(b'r', id.as_bytes());
            new &= self.is_new(b's', record.sender_id.as_bytes());
            if let Some(notifier) = &record.notifier {
                new &= self.is_new(b'n', notifier.notifier_id.as_bytes());
            }
            if let Some(link) = &record.link {
                new &= self.is_new(b'l', link.id.as_bytes());
            }
            if new {
                return (id, record);
            }
        }
    }

    /// A journal as a start leaves it.
    pub(crate) fn compact(&mut self, queues: usize, services: usize) -> Vec<LogRecord> {
        let services = self.services(services);
        let mut queues: Vec<_> = (0..queues).map(|_| self.queue(&services)).collect();
        queues.sort_by(|one, other| one.0.cmp(&other.0));
        let services = services.into_iter().map(|service| LogRecord::NewService(Box::new(service)));
        let queues =
            queues.into_iter().map(|(id, record)| LogRecord::CreateQueue(id, Arc::new(record)));
        services.chain(queues).collect()
    }

    /// A journal of a router that ran for a while: every kind of record, some of them refused.
    pub(crate) fn lived_in(&mut self, queues: usize, services: usize) -> Vec<LogRecord> {
        let registered = self.services(services);
        let mut records = Vec::new();
        let mut ids: Vec<RecipientId> = Vec::new();
        let mut waiting = registered.clone();
        while ids.len() < queues {
            if !waiting.is_empty() && self.below(10) == 0 {
                records.push(LogRecord::NewService(Box::new(waiting.remove(0))));
            }
            let (id, record) = self.queue(&registered);
            ids.push(id.clone());
            records.push(LogRecord::CreateQueue(id, Arc::new(record)));
            for _ in 0..self.below(3) {
                let id = ids[self.below(ids.len())].clone();
                let change = self.change(id, &registered);
                records.push(change);
            }
        }
        records.extend(waiting.into_iter().map(|service| LogRecord::NewService(Box::new(service))));
        records
    }

    fn change(&mut self, id: RecipientId, services: &[ServiceRec]) -> LogRecord {
        match self.below(13) {
            0 => LogRecord::CreateLink(id, self.any()),
            1 => LogRecord::DeleteLink(id),
            2 => LogRecord::SecureQueue(id, self.any()),
            3 => LogRecord::UpdateKeys(id, self.any()),
            4 => LogRecord::AddNotifier(id, self.any()),
            5 => LogRecord::SuspendQueue(id),
            6 | 7 => LogRecord::BlockQueue(id, self.any()),
            8 => LogRecord::UnblockQueue(id),
            9 => LogRecord::DeleteQueue(id),
            10 => LogRecord::DeleteNotifier(id),
            11 => LogRecord::UpdateTime(id, self.any()),
            _ => {
                let (party, role) = match self.any::<bool>() {
                    true => (ServiceParty::Receiver, ServiceRole::Messaging),
                    false => (ServiceParty::Notifier, ServiceRole::Notifier),
                };
                LogRecord::QueueService(id, party, self.association(role, services))
            }
        }
    }
}

/// The records of a journal.
pub(crate) fn parsed(bytes: &[u8]) -> Vec<LogRecord> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| LogRecord::parse(line, Semantics::Strict).unwrap()).collect()
}
