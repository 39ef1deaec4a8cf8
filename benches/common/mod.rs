//! What the benches share: how many queues, what is in them, and how threads are timed.
#![allow(dead_code)] // each bench uses its part
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_types, clippy::disallowed_methods)] // nothing here runs under loom

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use criterion::Criterion;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use simplex_stores::protocol::{
    AuthKey, Blob, DhSecret, EntityStatus, LinkData, LinkId, NotifierId, NtfCreds, QueueLink,
    QueueMode, QueueRec, RecipientId, RecipientKeys, RoundedDate, SenderId,
};
use simplex_stores::store_log::LogRecord;

/// The environment variable that says how many queues a store holds while it is measured.
const QUEUES: &str = "SIMPLEX_STORES_BENCH_QUEUES";

/// The numbers of threads that every operation is measured with.
pub(crate) const THREADS: [usize; 2] = [1, 2];

/// Whether the library stands on the STM's reference engine. It is measured in a run of its own, which leaves out the
/// stores that don't stand on an engine.
pub(crate) const REFERENCE_ENGINE: bool = cfg!(feature = "reference-engine");

/// The name in the reports of what stands on the library's STM: that of the engine.
pub(crate) const ENGINE: &str = if REFERENCE_ENGINE { "stm_reference" } else { "stm" };

/// Whether each bench is only to be run once, to see that it works.
pub(crate) fn trial() -> bool {
    let given = |flag: &str| std::env::args().any(|arg| arg == flag);
    given("--test") || !given("--bench")
}

/// How many queues each store holds: 100,000 unless the environment says otherwise, few in a trial.
pub(crate) fn queues() -> usize {
    match std::env::var(QUEUES) {
        Ok(number) => number.parse().unwrap_or_else(|_| panic!("{QUEUES}: not a number")),
        Err(_) if trial() => 500,
        Err(_) => 100_000,
    }
}

/// Criterion as all benches use it: few long samples, since one iteration is many operations.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args()
}

/// The queue number `index`: always the same one, with four random ids of 24 bytes.
pub(crate) fn queue(index: usize) -> (RecipientId, QueueRec) {
    let rng = &mut StdRng::seed_from_u64(index as u64);
    let id = RecipientId::random(rng);
    let notifier = NtfCreds {
        notifier_id: NotifierId::random(rng),
        key: AuthKey::X25519(rng.random()),
        dh_secret: DhSecret::new(rng.random()),
        service_id: None,
    };
    let data = LinkData { fixed: blob(rng, 64), user: blob(rng, 128) };
    let record = QueueRec {
        recipient_keys: RecipientKeys::one(AuthKey::Ed25519(rng.random())),
        rcv_dh_secret: DhSecret::new(rng.random()),
        sender_id: SenderId::random(rng),
        sender_key: Some(AuthKey::X25519(rng.random())),
        queue_mode: Some(QueueMode::Messaging),
        link: Some(Box::new(QueueLink { id: LinkId::random(rng), data })),
        notifier: Some(Box::new(notifier)),
        updated_at: Some(RoundedDate::from_seconds(1_700_006_400)),
        status: EntityStatus::Active,
        rcv_service_id: None,
    };
    (id, record)
}

/// The queue number `index` as a router has most of them: four ids, one key of a recipient, a notifier,
/// no key of a sender yet, a link without data.
pub(crate) fn plain_queue(index: usize) -> (RecipientId, QueueRec) {
    let (id, mut record) = queue(index);
    record.sender_key = None;
    if let Some(link) = &mut record.link {
        link.data = LinkData { fixed: Blob::from(Vec::new()), user: Blob::from(Vec::new()) };
    }
    (id, record)
}

fn blob(rng: &mut impl Rng, length: usize) -> Blob {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    Blob::from(bytes)
}

/// Writes the log of these queues, as a compaction would.
pub(crate) fn write_log(path: &Path, queues: impl Iterator<Item = (RecipientId, QueueRec)>) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut line = Vec::new();
    for (id, record) in queues {
        line.clear();
        LogRecord::CreateQueue(id, record.into()).encode(&mut line);
        line.push(b'\n');
        file.write_all(&line).unwrap();
    }
    file.flush().unwrap();
}

/// The ids by which the queues of a store are looked up, in an order unlike that of their adding.
pub(crate) struct Ids {
    pub(crate) senders: Vec<SenderId>,
    pub(crate) notifiers: Vec<NotifierId>,
    pub(crate) links: Vec<LinkId>,
}

impl Ids {
    /// The ids of the queues 0 to `count`.
    pub(crate) fn of(count: usize) -> Self {
        let mut ids = Self { senders: Vec::new(), notifiers: Vec::new(), links: Vec::new() };
        for (_, record) in (0..count).map(queue) {
            ids.senders.push(record.sender_id);
            ids.notifiers.push(record.notifier.unwrap().notifier_id);
            ids.links.push(record.link.unwrap().id);
        }
        shuffle(&mut ids.senders);
        shuffle(&mut ids.notifiers);
        shuffle(&mut ids.links);
        ids
    }
}

fn shuffle<T>(items: &mut [T]) {
    let rng = &mut StdRng::seed_from_u64(items.len() as u64);
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
}

/// Hands out queues that no store has seen yet, a share for each thread.
pub(crate) struct Fresh(usize);

impl Fresh {
    /// Queues from number `first` on.
    pub(crate) fn from(first: usize) -> Self {
        Self(first)
    }

    /// The next `each` queues for each of the threads.
    pub(crate) fn shares(&mut self, threads: usize, each: usize) -> Vec<Share> {
        (0..threads)
            .map(|_| {
                let first = self.0;
                self.0 += each;
                (first..self.0).map(queue).collect()
            })
            .collect()
    }
}

/// The queues that one thread is to add.
pub(crate) type Share = Vec<(RecipientId, QueueRec)>;

/// Runs `work` on each input in a thread of its own, all started together. Gives the time from the
/// first start to the last end, and what they returned; dropping that is not timed.
pub(crate) fn timed<I: Send, O: Send>(
    inputs: Vec<I>,
    work: impl Fn(usize, I) -> O + Sync,
) -> (Duration, Vec<O>) {
    let barrier = Barrier::new(inputs.len());
    let run = |thread: usize, input: I| {
        barrier.wait();
        let start = Instant::now();
        let output = work(thread, input);
        (start, Instant::now(), output)
    };
    let runs: Vec<_> = std::thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (inputs.into_iter().enumerate())
            .map(|(thread, input)| scope.spawn(move || run(thread, input)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let start = runs.iter().map(|(start, ..)| *start).min().unwrap();
    let end = runs.iter().map(|(_, end, _)| *end).max().unwrap();
    (end - start, runs.into_iter().map(|(.., output)| output).collect())
}
