//! Errors, warnings, reports and the program's log: of every record with every byte changed, cut off,
//! doubled or put elsewhere, and of journals and snapshots that go wrong.

use std::{
    fmt::Debug,
    io::{self, ErrorKind, Write},
    path::Path,
    sync::{Arc, OnceLock},
};

use simplex_stores::{
    protocol::{
        AuthKey, DhSecret, LinkData, NtfCreds, QueueRec, RecipientKeys, Semantics, ServiceRec,
        TextDecode,
    },
    queue_store::{BasicFactory, QueueKey, QueueStore, StmQueueStore, stm::StoreSnapshot},
    store_log::{
        Durability, Journal, LogRecord, OnDamage, StoreLogConfig, read_snapshot, write_snapshot,
    },
    sync::{Mutex, MutexGuard},
    testing::{FailingStorage, Fault, MemStorage, Plan, queue_store::sample},
};

use crate::plants::{Search, damaged, lines, planted, public, queue, records, secrets};

const BOTH: [Semantics; 2] = [Semantics::Strict, Semantics::Reference];

/// Everything that the library has said to `tracing`, at every level.
#[derive(Clone, Default)]
pub(crate) struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Listens from the first call on, on every thread, for one test at a time.
pub(crate) fn said() -> (MutexGuard<'static, ()>, Said) {
    static LISTENS: Mutex<()> = Mutex::new(());
    static SAID: OnceLock<Said> = OnceLock::new();
    let listen = || {
        let said = Said::default();
        tracing::subscriber::set_global_default(said.listener()).unwrap();
        said
    };
    (LISTENS.lock(), SAID.get_or_init(listen).clone())
}

impl Said {
    fn listener(&self) -> impl tracing::Subscriber + Send + Sync + 'static {
        let said = self.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || said.clone())
            .finish()
    }

    /// What was said, which is forgotten.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock())
    }
}

fn everything_planted() -> Search {
    Search::of(&[secrets(), public()].concat())
}

fn without_newline(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap()
}

#[test]
fn race17_no_error_of_a_parser_shows_a_secret() {
    let search = everything_planted();
    let mut errors = 0;
    let mut check = |what: &str, error: &dyn Debug, text: String| {
        search.nothing_in_debug(what, error);
        search.nothing_in(what, text);
        errors += 1;
    };
    for line in lines() {
        for damaged in damaged(without_newline(&line)) {
            for semantics in BOTH {
                if let Err(error) = LogRecord::parse(&damaged, semantics) {
                    check("LogRecord", &error, error.to_string());
                }
            }
        }
    }
    let mut whole = Vec::new();
    simplex_stores::protocol::TextEncode::encode_text(&queue(), &mut whole);
    for text in whole.split(|byte| b" =".contains(byte)).chain([&whole[..]]) {
        for semantics in BOTH {
            let errors = [
                QueueRec::from_text(text, semantics).err(),
                AuthKey::from_text(text, semantics).err(),
                RecipientKeys::from_text(text, semantics).err(),
                DhSecret::from_text(text, semantics).err(),
                LinkData::from_text(text, semantics).err(),
                NtfCreds::from_text(text, semantics).err(),
                ServiceRec::from_text(text, semantics).err(),
                simplex_stores::protocol::ErrorType::from_text(text, semantics).err(),
                simplex_stores::protocol::EntityStatus::from_text(text, semantics).err(),
            ];
            for error in errors.into_iter().flatten() {
                check("a text form", &error, error.to_string());
            }
        }
        if let Err(error) = RecipientKeys::decode_binary(text) {
            check("a column", &error, error.to_string());
        }
    }
    assert!(errors > 10_000, "{errors}");
}

/// Replays and starts on a log, with everything that is said about it.
fn reports_about(log: &[u8], semantics: Semantics, search: &Search) -> u64 {
    let disk = MemStorage::new();
    disk.put("F", log);
    let mut warnings = 0;
    for listed in [0, 100] {
        let config = StoreLogConfig::new("F").storage(Arc::new(disk.clone())).semantics(semantics);
        let config = config.max_warnings(listed);
        let (_, report) = StmQueueStore::replay(&config, BasicFactory).unwrap();
        search.nothing_in_debug("ReplayReport", &report);
        for warning in &report.warnings {
            search.nothing_in("a warning", warning.to_string());
        }
        for damage in &report.damage {
            search.nothing_in("a damage", damage.to_string());
        }
        warnings += report.warnings.len() as u64;
        if let Err(error) = StmQueueStore::open(&config.on_damage(OnDamage::Refuse), BasicFactory) {
            search.nothing_in_debug("OpenError", &error);
            search.nothing_in("OpenError", error.to_string());
        }
    }
    warnings
}

#[test]
fn race17_no_report_about_a_damaged_log_shows_a_secret() {
    let ((_guard, said), search, lines) = (said(), everything_planted(), lines());
    let mut warnings = 0;
    for (number, line) in lines.iter().enumerate() {
        // Every seventh: a replay takes longer than a parse, which has seen all of them.
        for (place, damaged) in damaged(line).enumerate().filter(|(place, _)| place % 7 == 0) {
            let log = [&lines[..number].concat(), &damaged[..], &lines[number + 1..].concat()];
            warnings += reports_about(&log.concat(), BOTH[place / 7 % 2], &search);
        }
        // A line that comes twice, and one that is missing.
        let twice = [lines[..=number].concat(), lines[number..].concat()].concat();
        let without = [lines[..number].concat(), lines[number + 1..].concat()].concat();
        for semantics in BOTH {
            warnings += reports_about(&twice, semantics, &search);
            warnings += reports_about(&without, semantics, &search);
        }
        search.nothing_in("the program's log", said.take());
    }
    assert!(warnings > 500, "{warnings}");
    tracing::trace!("the end");
    assert!(String::from_utf8(said.take()).unwrap().contains("the end"), "nobody listens");
}

#[test]
fn race17_no_failure_of_a_running_store_shows_a_secret() {
    let ((_guard, said), search) = (said(), everything_planted());
    let mut failures = 0;
    for number in 1..60 {
        for fault in [Fault::Error(ErrorKind::StorageFull), Fault::ShortWrite(99, ErrorKind::Other)]
        {
            let disk = MemStorage::new();
            disk.put("F", [&lines().concat()[..], b"CREATE rid=AAAA"].concat());
            let failing = FailingStorage::new(Arc::new(disk));
            failing.plan(Plan::Once(number, fault));
            let config = StoreLogConfig::new("F").storage(Arc::new(failing.clone()));
            let config = config.integrity(true).durability(Durability::Fsync);
            match StmQueueStore::open(&config, BasicFactory) {
                Err(error) => {
                    search.nothing_in_debug("OpenError", &error);
                    search.nothing_in("OpenError", error.to_string());
                    failures += 1;
                }
                Ok((store, _)) => failures += work(&store, &search),
            }
            if let Err(error) = Journal::open_append(&config) {
                search.nothing_in_debug("OpenError", &error);
                search.nothing_in("OpenError", error.to_string());
            }
        }
    }
    search.nothing_in("the program's log", said.take());
    assert!(failures > 60, "{failures}");
}

/// Calls that succeed, that are refused and that fail; how many were not answered with success.
fn work(store: &StmQueueStore, search: &Search) -> u64 {
    let third = QueueRec { sender_id: sample::sender(3), link: None, notifier: None, ..queue() };
    let added = store.add_queue(sample::recipient(3), third.clone()).err();
    let again = store.add_queue(sample::recipient(3), third).err();
    let mut errors = vec![added, again];
    if let Ok(queue) = store.get_queue(&QueueKey::Recipient(sample::recipient(1))) {
        errors.push(store.secure_queue(&queue, AuthKey::Ed25519(planted(13))).err());
        errors.push(store.add_notifier(&queue, crate::plants::credentials()).err());
        let link = (sample::link(9), crate::plants::link_data());
        errors.push(store.add_link_data(&queue, link.0, link.1).err());
        errors.push(store.delete_queue(&queue).err());
    }
    for error in errors.iter().flatten() {
        search.nothing_in_debug("ErrorType", error);
        search.nothing_in("ErrorType", error.to_string());
    }
    if let Err(error) = store.close() {
        search.nothing_in_debug("closing", &error);
        search.nothing_in("closing", error.to_string());
    }
    errors.iter().flatten().count() as u64
}

#[test]
fn race17_no_error_of_a_snapshot_shows_a_secret() {
    const KIND: [u8; 8] = *b"a secret";
    let search = everything_planted();
    let (disk, path) = (MemStorage::new(), Path::new("S"));
    let mut errors = 0;
    let mut check = |error: Option<simplex_stores::store_log::SnapshotError>| {
        let Some(error) = error else { return };
        search.nothing_in_debug("SnapshotError", &error);
        search.nothing_in("SnapshotError", error.to_string());
        errors += 1;
    };
    // Secrets where other types are expected, with a sum that is right.
    let text = String::from_utf8(lines().concat()).unwrap();
    write_snapshot(&disk, path, KIND, &text).unwrap();
    check(read_snapshot::<StoreSnapshot>(&disk, path, KIND).err());
    check(read_snapshot::<QueueRec>(&disk, path, KIND).err());
    check(read_snapshot::<Vec<LogRecord>>(&disk, path, KIND).err());
    for secret in secrets() {
        write_snapshot(&disk, path, KIND, &secret).unwrap();
        check(read_snapshot::<String>(&disk, path, KIND).err());
        check(read_snapshot::<AuthKey>(&disk, path, KIND).err());
        check(read_snapshot::<(bool, DhSecret)>(&disk, path, KIND).err());
        check(read_snapshot::<StoreSnapshot>(&disk, path, KIND).err());
    }
    write_snapshot(&disk, path, KIND, &records()).unwrap();
    check(read_snapshot::<StoreSnapshot>(&disk, path, KIND).err());
    for at in 0..disk.read(path).unwrap().len() {
        disk.damage(path, |bytes| bytes[at] ^= 1);
        check(read_snapshot::<Vec<LogRecord>>(&disk, path, KIND).err());
        disk.damage(path, |bytes| bytes[at] ^= 1);
    }
    assert!(errors > 500, "{errors}");
}

/// The twin: a program that logs the line it cannot read, as the reference does.
#[test]
fn twin_a_line_in_the_programs_log_is_found_out() {
    let (said, search) = (Said::default(), everything_planted());
    let line = String::from_utf8(lines()[0].clone()).unwrap();
    let damaged = line.replace("CREATE", "CREATED");
    let error = LogRecord::parse(damaged.as_bytes(), Semantics::Strict).unwrap_err();
    tracing::subscriber::with_default(said.listener(), || {
        tracing::trace!("not a record: {error}: {damaged}");
    });
    assert!(search.find(said.take()).is_some());
}
