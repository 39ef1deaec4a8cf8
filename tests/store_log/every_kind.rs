//! A small log with every kind of record, a target that keeps what it is given, and what must come
//! of any bytes in the log's place.

use std::{io, sync::Arc};

use simplex_stores::{
    protocol::Semantics,
    store_log::{
        Journal, Line, LogRecord, OpenError, ReplayReport, ReplayTarget, ReplayWarning,
        StartReport, StoreLogConfig, WarningKind, start,
    },
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        thread,
    },
};

use crate::support::lines;

pub(crate) const SEMANTICS: [Semantics; 2] = [Semantics::Strict, Semantics::Reference];

const KEY: &str = "MCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=";
const SECRET: &str = "WFV1gOHNAQ2R6bm_vIrq8ARYNa0kD15AN6i6DRpQJQ4=";
const CERTIFICATE: &str = "MIHDMHegAwIBAgIBATAFBgMrZXAwDDEKMAgGA1UEAwwBYTAeFw0yNTAxMDEwMDAwMDBa\
    Fw0zNTAxMDEwMDAwMDBaMAwxCjAIBgNVBAMMAWEwKjAFBgMrZXADIQCKiOPddAnxlf1S2y08ul1yymcJvx2UEhvzdIgB\
    tA9vXDAFBgMrZXADQQABQ3aGC32htDEv8HbkoyzYs4-jAd4geXW-zfbyVN69SF6tuP5Sf4KhtgN3dz9bq9h4Lkuc_jS9\
    Tn14XkjXHaQG";

/// One record of each kind, and a second `CREATE` with every part that one may have.
pub(crate) fn every_kind() -> Vec<LogRecord> {
    let texts = [
        format!("CREATE rid=AAAA rk={KEY} rdh={SECRET} sid=AAAB sk= queue_mode=M"),
        format!(
            "NEW_SERVICE service_id=AAAC role=M cert={CERTIFICATE} cert_hash={SECRET} \
             created_at=1735689600"
        ),
        "LINK AAAA AAAD Zml4ZWQ= dXNlcg==".to_owned(),
        format!("SECURE AAAA {KEY}"),
        format!("KEYS AAAA {KEY}"),
        format!("NOTIFIER AAAA AAAE {KEY} {SECRET}"),
        "SUSPEND AAAA".to_owned(),
        "QUEUE_SERVICE AAAA R AAAC".to_owned(),
        "BLOCK AAAA reason=spam,notice={\"ttl\":60}".to_owned(),
        "UNBLOCK AAAA".to_owned(),
        "TIME AAAA 1735689600".to_owned(),
        "QUEUE_SERVICE AAAA R ".to_owned(),
        "LDELETE AAAA".to_owned(),
        "NDELETE AAAA".to_owned(),
        "DELETE AAAA".to_owned(),
        format!(
            "CREATE rid=AAAF rk={KEY} rdh={SECRET} sid=AAAG sk={KEY} queue_mode=C link_id=AAAH \
             queue_data=Zg== dQ== notifier=AAAI {KEY} {SECRET} nsrv=AAAC updated_at=1735689600 \
             status=blocked,reason=content rsrv=AAAC"
        ),
    ];
    texts.iter().map(|text| read(text)).collect()
}

fn read(text: &str) -> LogRecord {
    let record = LogRecord::parse(text.as_bytes(), Semantics::Reference).unwrap();
    assert_eq!(lines(std::slice::from_ref(&record)), format!("{text}\n").as_bytes());
    record
}

/// Keeps every record with its place, and compacts to the same records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) records: Vec<(u64, u64, LogRecord)>,
}

impl History {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        lines(&self.records.iter().map(|(.., record)| record.clone()).collect::<Vec<_>>())
    }
}

impl ReplayTarget for History {
    fn apply(&mut self, batch: Vec<Line>) -> Vec<ReplayWarning> {
        self.records.extend(batch.into_iter().map(|line| (line.number, line.offset, line.record)));
        Vec::new()
    }

    fn finish(&mut self) -> Vec<ReplayWarning> {
        Vec::new()
    }

    fn compacted(&self, emit: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        self.records.iter().try_for_each(|(.., record)| emit(record.clone()))
    }
}

pub(crate) fn open(config: &StoreLogConfig) -> Result<(Journal, StartReport, History), OpenError> {
    let mut history = History::default();
    let (journal, report) = start(config, &mut history)?;
    Ok((journal, report, history))
}

/// A place that gives no record: line, offset, length.
pub(crate) type Place = (u64, u64, u64);

/// What the bytes of a log are, line by line, without the journal's own reading of files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Anatomy {
    pub(crate) history: History,
    /// Lines that are no records.
    pub(crate) unreadable: Vec<Place>,
    /// How many of those have a record after them.
    pub(crate) damaged: usize,
    pub(crate) torn: Option<Place>,
}

pub(crate) fn anatomy(log: &[u8], semantics: Semantics) -> Anatomy {
    let mut found =
        Anatomy { history: History::default(), unreadable: Vec::new(), damaged: 0, torn: None };
    let mut offset = 0;
    for (number, text) in (1..).zip(log.split_inclusive(|byte| *byte == b'\n')) {
        match text.strip_suffix(b"\n") {
            None => found.torn = Some((number, offset, text.len() as u64)),
            Some(line) => match LogRecord::parse(line, semantics) {
                Ok(record) => {
                    found.history.records.push((number, offset, record));
                    found.damaged = found.unreadable.len();
                }
                Err(_) => found.unreadable.push((number, offset, line.len() as u64)),
            },
        }
        offset += text.len() as u64;
    }
    found
}

/// The places that a report's warnings give, as an anatomy has them.
pub(crate) fn places_told(report: &ReplayReport) -> (Vec<Place>, Option<Place>) {
    let (mut unreadable, mut torn) = (Vec::new(), None);
    for warning in &report.warnings {
        match warning.kind {
            WarningKind::Parse { length, .. } | WarningKind::TooLong { length } => {
                unreadable.push((warning.line, warning.offset, length));
            }
            WarningKind::TornTail { length } => {
                torn = Some((warning.line, warning.offset, length));
            }
            _ => panic!("{warning}"),
        }
    }
    (unreadable, torn)
}

/// Runs a case for each number below `count`, on a few threads; gives the sum of what they give.
pub(crate) fn sum_of_cases<const N: usize>(
    count: usize,
    case: impl Fn(usize) -> [u64; N] + Send + Sync + 'static,
) -> [u64; N] {
    const THREADS: usize = 4;
    let next = Arc::new(AtomicUsize::new(0));
    let sum = Arc::new(Mutex::new([0; N]));
    let case = Arc::new(case);
    let workers: Vec<_> = (0..THREADS)
        .map(|_| {
            let (next, sum, case) = (Arc::clone(&next), Arc::clone(&sum), Arc::clone(&case));
            thread::spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= count {
                        return;
                    }
                    let found = case(number);
                    sum.lock().iter_mut().zip(found).for_each(|(sum, found)| *sum += found);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    *sum.lock()
}
