//! The lives of queues, told as a journal tells them.
//!
//! Each queue is created with a list of what will happen to it. A bounded window holds the queues
//! with something still to come; what happens next happens to one of them at random. So records of
//! different queues mix, while memory does not depend on how many queues there are.

use std::{collections::VecDeque, io, sync::Arc};

use simplex_stores::{
    protocol::{
        EntityStatus, QueueLink, QueueMode, QueueRec, RecipientId, SenderId, ServiceId,
        ServiceParty, ServiceRole,
    },
    store_log::LogRecord,
};

use super::RecordWriter;
use crate::dice::Dice;

/// How many queues may have something still to come.
const WINDOW: usize = 2_048;
/// So many queues in a hundred are deleted again, on top of those that stay.
const DELETED: u64 = 5;
/// Days from the first to the last date.
const DAYS: u64 = 200;

/// Writes the journal of so many queues.
pub(super) struct Lives {
    dice: Dice,
    queues: u64,
    receivers: Vec<ServiceId>,
    notifiers: Vec<ServiceId>,
    window: Vec<Life>,
}

/// A queue with something still to come: its records in order.
struct Life {
    to_come: VecDeque<LogRecord>,
}

impl Lives {
    pub(super) fn new(seed: u64, queues: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            queues,
            receivers: Vec::new(),
            notifiers: Vec::new(),
            window: Vec::new(),
        }
    }

    /// Writes everything; `progress` is told the number of queues so far.
    pub(super) fn write(
        &mut self,
        to: &mut RecordWriter,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        self.write_services(to)?;
        for number in 0..self.queues {
            self.begin(to, false)?;
            if self.dice.percent(DELETED) {
                self.begin(to, true)?;
            }
            if number % 4096 == 0 {
                progress(number);
            }
        }
        while !self.window.is_empty() {
            self.go_on(to)?;
        }
        Ok(())
    }

    /// A few services of each role that queues have, more in larger journals; and one proxy.
    fn write_services(&mut self, to: &mut RecordWriter) -> io::Result<()> {
        let count = 2 + (self.queues / 20_000).min(30);
        for _ in 0..count {
            for role in [ServiceRole::Messaging, ServiceRole::Notifier] {
                let service = self.dice.service(role);
                let known = match role {
                    ServiceRole::Messaging => &mut self.receivers,
                    _ => &mut self.notifiers,
                };
                known.push(service.service_id.clone());
                to.write(&LogRecord::NewService(Box::new(service)))?;
            }
        }
        let proxy = self.dice.service(ServiceRole::Proxy);
        to.write(&LogRecord::NewService(Box::new(proxy)))
    }

    /// Creates a queue, and lets about as much happen as keeps the window bounded.
    fn begin(&mut self, to: &mut RecordWriter, deleted: bool) -> io::Result<()> {
        let id = RecipientId::random(self.dice.rng());
        let mut life = Telling { dice: &mut self.dice, id: id.clone(), to_come: VecDeque::new() };
        let record = life.create(&self.receivers, &self.notifiers);
        life.happenings(&record, &self.receivers, &self.notifiers);
        if deleted {
            life.to_come.push_back(LogRecord::DeleteQueue(id.clone()));
        }
        let to_come = life.to_come;
        to.write(&LogRecord::CreateQueue(id, Arc::new(record)))?;
        if !to_come.is_empty() {
            self.window.push(Life { to_come });
        }
        while self.window.len() > WINDOW {
            self.go_on(to)?;
        }
        Ok(())
    }

    /// Lets the next thing happen to one queue of the window.
    fn go_on(&mut self, to: &mut RecordWriter) -> io::Result<()> {
        let place = self.dice.index(self.window.len());
        let Some(life) = self.window.get_mut(place) else {
            return Ok(());
        };
        let record = life.to_come.pop_front();
        if life.to_come.is_empty() {
            self.window.swap_remove(place);
        }
        record.map_or(Ok(()), |record| to.write(&record))
    }
}

/// One queue's life in the making.
struct Telling<'a> {
    dice: &'a mut Dice,
    id: RecipientId,
    to_come: VecDeque<LogRecord>,
}

impl Telling<'_> {
    /// How the queue stands in its `CREATE` record: new, or as an earlier compaction left it.
    fn create(&mut self, receivers: &[ServiceId], notifiers: &[ServiceId]) -> QueueRec {
        let mode = match self.dice.below(100) {
            0..10 => None,
            10..80 => Some(QueueMode::Messaging),
            _ => Some(QueueMode::Contact),
        };
        let contact = mode == Some(QueueMode::Contact);
        let link = mode.is_some() && self.dice.percent(if contact { 80 } else { 30 });
        let compacted = self.dice.percent(60);
        let secured = compacted && !contact && self.dice.percent(90);
        let notified = compacted && self.dice.percent(40);
        let served = self.dice.percent(4);
        let status = match self.dice.below(200) {
            0 if compacted => EntityStatus::Off,
            1 if compacted => EntityStatus::Blocked(self.dice.blocking(!served)),
            _ => EntityStatus::Active,
        };
        let ntf_service = self.dice.percent(50).then(|| self.dice.pick(notifiers).cloned());
        QueueRec {
            recipient_keys: self.dice.keys(),
            rcv_dh_secret: self.dice.secret(),
            sender_id: SenderId::random(self.dice.rng()),
            sender_key: secured.then(|| self.dice.key()),
            queue_mode: mode,
            link: link.then(|| Box::new(self.dice.link())),
            notifier: notified.then(|| Box::new(self.dice.notifier(ntf_service.flatten()))),
            updated_at: mode.is_some().then(|| self.dice.day(DAYS / 2)),
            status,
            rcv_service_id: if served { self.dice.pick(receivers).cloned() } else { None },
        }
    }

    /// What happens to the queue later.
    fn happenings(&mut self, record: &QueueRec, receivers: &[ServiceId], notifiers: &[ServiceId]) {
        let contact = record.queue_mode == Some(QueueMode::Contact);
        if record.sender_key.is_none() && !contact && self.dice.percent(95) {
            let key = self.dice.key();
            self.push(LogRecord::SecureQueue, key);
        }
        if record.notifier.is_none() && self.dice.percent(20) {
            self.notifier(notifiers);
        }
        if let Some(link) = &record.link {
            self.link(contact, link);
        }
        let mut served = record.rcv_service_id.is_some();
        if !served && record.status == EntityStatus::Active && self.dice.percent(2) {
            served = true;
            let service = self.dice.pick(receivers).cloned();
            let id = self.id.clone();
            self.to_come.push_back(LogRecord::QueueService(id, ServiceParty::Receiver, service));
        }
        self.dates();
        self.rare(served);
    }

    fn notifier(&mut self, notifiers: &[ServiceId]) {
        let creds = Box::new(self.dice.notifier(None));
        self.push(LogRecord::AddNotifier, creds);
        if self.dice.percent(40) {
            let service = self.dice.pick(notifiers).cloned();
            let id = self.id.clone();
            self.to_come.push_back(LogRecord::QueueService(id, ServiceParty::Notifier, service));
        }
        if self.dice.percent(10) {
            self.to_come.push_back(LogRecord::DeleteNotifier(self.id.clone()));
        }
    }

    /// A contact's profile changes now and then; an invitation's link goes once it was used.
    fn link(&mut self, contact: bool, link: &QueueLink) {
        if contact && self.dice.percent(20) {
            let mut link = link.clone();
            link.data.user = self.dice.link_data().user;
            self.push(LogRecord::CreateLink, link);
        } else if !contact && self.dice.percent(60) {
            self.to_come.push_back(LogRecord::DeleteLink(self.id.clone()));
        }
    }

    /// An active queue has a date a day; a window has room for the last few.
    fn dates(&mut self) {
        if self.dice.percent(40) {
            for _ in 0..=self.dice.below(2) {
                let day = self.dice.day(DAYS);
                self.push(LogRecord::UpdateTime, day);
            }
        }
    }

    fn rare(&mut self, served: bool) {
        if self.dice.percent(2) {
            let keys = self.dice.keys();
            self.push(LogRecord::UpdateKeys, keys);
        }
        match self.dice.below(100) {
            0 => self.to_come.push_back(LogRecord::SuspendQueue(self.id.clone())),
            1 => {
                let info = self.dice.blocking(!served);
                self.push(LogRecord::BlockQueue, info);
                if self.dice.percent(30) {
                    self.to_come.push_back(LogRecord::UnblockQueue(self.id.clone()));
                }
            }
            _ => {}
        }
    }

    fn push<T>(&mut self, make: impl FnOnce(RecipientId, T) -> LogRecord, value: T) {
        self.to_come.push_back(make(self.id.clone(), value));
    }
}
