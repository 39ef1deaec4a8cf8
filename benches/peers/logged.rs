//! The locked maps with a log: each record is encoded and written under the lock, which is the
//! plainest way to have the records in the order of the changes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use simplex_stores::protocol::{QueueRec, RecipientId, Semantics};
use simplex_stores::store_log::LogRecord;
use simplex_stores::sync::RwLock;

use super::locked::{Locked, Maps};
use super::{Peer, PlainQueue};

/// When a record counts as written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// Once the operating system has it.
    Flushed,
    /// Once the disk has it.
    Synced,
}

/// The locked maps with a log.
pub(crate) struct Logged {
    maps: RwLock<(Maps, File)>,
    written: Written,
}

impl Logged {
    /// A store that appends to the log, which is not replayed.
    pub(crate) fn new(log: &Path, written: Written) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(log)?;
        Ok(Self { maps: RwLock::new((Maps::default(), file)), written })
    }

    /// Adds queues without writing them, not timed.
    pub(crate) fn fill(&self, queues: impl Iterator<Item = (RecipientId, QueueRec)>) {
        let maps = &mut self.maps.write().0;
        for (id, record) in queues {
            assert!(maps.add(id, Arc::new(record)).is_some(), "a new queue is added");
        }
    }

    /// Adds a queue and writes its record; `None` when one of its ids is in use.
    pub(crate) fn add(
        &self,
        id: RecipientId,
        record: QueueRec,
    ) -> io::Result<Option<Arc<PlainQueue>>> {
        let record = Arc::new(record);
        let mut line = Vec::new();
        LogRecord::CreateQueue(id.clone(), Arc::clone(&record)).encode(&mut line);
        line.push(b'\n');
        let (maps, file) = &mut *self.maps.write();
        let Some(queue) = maps.add(id, record) else {
            return Ok(None);
        };
        file.write_all(&line)?;
        if self.written == Written::Synced {
            file.sync_data()?;
        }
        Ok(Some(queue))
    }

    /// Removes queues without writing it, not timed.
    pub(crate) fn remove(&self, queues: &[Arc<PlainQueue>]) {
        let maps = &mut self.maps.write().0;
        for queue in queues {
            assert!(maps.delete(queue), "an added queue is there");
        }
    }
}

/// Reads a log of created queues into locked maps, line by line on one thread.
pub(crate) fn replay(log: &Path) -> io::Result<Locked> {
    let store = Locked::new();
    parse(log, |record| {
        if let LogRecord::CreateQueue(id, record) = record {
            store.0.write().add(id, record);
        }
    })?;
    Ok(store)
}

/// Hands each record of a log to `take`, line by line on one thread.
pub(crate) fn parse(log: &Path, mut take: impl FnMut(LogRecord)) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(log)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        line.pop();
        let record = LogRecord::parse(&line, Semantics::Strict)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        take(record);
        line.clear();
    }
    Ok(())
}
