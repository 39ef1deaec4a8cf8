//! What a child does.

use std::io::{BufRead, Write};
use std::sync::Arc;

use postgres::{Client, NoTls, Statement};
use quickcheck::{Arbitrary, Gen};
use rand::RngExt as _;
use simplex_stores::db::postgres::PostgresConfig;
use simplex_stores::protocol::{RecipientId, RoundedDate};
use simplex_stores::queue_store::database::QueueDatabase as _;
use simplex_stores::queue_store::postgres::{
    PostgresQueueStore, PostgresQueueStoreConfig, Sharing,
};
use simplex_stores::queue_store::{QueueKey, QueueStore, StoreQueue};
use simplex_stores::stm::{atomically, guard};
use simplex_stores::testing::queue_store::{QueueOp, run, sample};

use super::super::support::open;
use super::{MARK, NUMBER, URL, USE_CACHE, rates};

/// The queue that only this child changes, so that the others can wait for the change.
pub(super) fn marker(number: usize) -> RecipientId {
    sample::recipient(200 + number as u8)
}

/// The calls of a child: the parent knows them by the seed.
pub(super) fn calls(seed: u64, count: usize, keep: impl Fn(&QueueOp) -> bool) -> Vec<QueueOp> {
    let mut g = Gen::from_size_and_seed(20, seed);
    std::iter::repeat_with(|| QueueOp::arbitrary(&mut g)).filter(keep).take(count).collect()
}

pub(super) fn is_call(op: &QueueOp) -> bool {
    *op != QueueOp::Restart
}

/// Without those that are several steps by contract (QS-20, QS-28).
pub(super) fn is_one_step(op: &QueueOp) -> bool {
    is_call(op) && !matches!(op, QueueOp::SetServices(..) | QueueOp::Fold(_))
}

/// One write a line.
fn say(what: &str) {
    let line = format!("\n{MARK}{what}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

/// Numbers of a sequence that all processes share.
struct Moments {
    client: Client,
    next: Statement,
}

impl Moments {
    fn next(&mut self) -> i64 {
        self.client.query_one(&self.next, &[]).unwrap().get(0)
    }
}

struct Worker {
    store: PostgresQueueStore,
    moments: Moments,
    number: usize,
}

/// Works as it is told, line by line; does nothing unless a parent started it.
#[test]
fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let variable = |name| std::env::var(name).unwrap();
    let number = variable(NUMBER).parse().unwrap();
    let settings = PostgresConfig::parse(&url).unwrap().pool_size(2);
    let config = PostgresQueueStoreConfig::new(settings).sharing(Sharing::Processes);
    let store = open(&config.use_cache(variable(USE_CACHE) == "true"));
    let mut client = Client::connect(&url, NoTls).unwrap();
    let next = client.prepare("SELECT nextval('public.moments')").unwrap();
    let mut worker = Worker { store, moments: Moments { client, next }, number };
    say("done ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        match words[0] {
            "load" => worker.load(calls(number(1) + worker.seed(), number(2) as usize, is_call)),
            "steps" => {
                worker.load(calls(number(1) + worker.seed(), number(2) as usize, is_one_step));
            }
            "trust" => worker.trust(number(1) as usize),
            "mark" => worker.mark(number(1)),
            "see" => worker.see(number(1), number(2) as usize..number(3) as usize),
            "compare" => worker.compare(),
            "warm" => worker.warm(number(1)),
            "rate" => worker.rate(number(1), number(2), number(3)),
            other => panic!("told to {other}"),
        }
        say(&format!("done {line}"));
    }
    worker.store.close().unwrap();
}

impl Worker {
    fn seed(&self) -> u64 {
        self.number as u64
    }

    fn load(&mut self, calls: Vec<QueueOp>) {
        for (number, op) in calls.iter().enumerate() {
            say(&format!("begins {number} {}", self.moments.next()));
            let answer = run(&self.store, op);
            let answer = serde_json::to_string(&answer).unwrap();
            say(&format!("answered {number} {} {answer}", self.moments.next()));
        }
    }

    /// Finds the markers, until what is cached of them is served.
    fn trust(&mut self, markers: usize) {
        let ids: Vec<RecipientId> = (0..markers).map(marker).collect();
        let has_all = |store: &PostgresQueueStore| {
            let loaded = store.loaded_queues().unwrap();
            ids.iter().all(|id| loaded.iter().any(|queue| queue.recipient_id() == id))
        };
        loop {
            for found in self.store.get_queues(&ids).unwrap() {
                found.unwrap();
            }
            if !self.is_cached() || has_all(&self.store) {
                return;
            }
        }
    }

    fn is_cached(&self) -> bool {
        std::env::var(USE_CACHE).is_ok_and(|cached| cached == "true")
    }

    fn mark(&mut self, round: u64) {
        let queue = self.store.get_queue(&QueueKey::Recipient(marker(self.number))).unwrap();
        self.store.update_time(&queue, date(round)).unwrap();
    }

    /// Waits until the others' marks have come to what is cached: announcements come in the order of commits, so
    /// everything that was announced before is there, too.
    fn see(&mut self, round: u64, markers: std::ops::Range<usize>) {
        if !self.is_cached() {
            return;
        }
        for marker in markers.map(marker) {
            let queue = self.store.get_queue(&QueueKey::Recipient(marker)).unwrap();
            atomically(|tx| {
                let record = queue.record().read(tx)?;
                guard(record.is_some_and(|record| record.updated_at == Some(date(round))))
            });
        }
    }

    /// Finds all queues.
    fn warm(&mut self, queues: u64) {
        for number in 0..queues {
            self.store.get_queue(&rates::sender(number).into()).unwrap();
        }
    }

    /// Makes calls as fast as it can, so many in a hundred of them changes.
    fn rate(&mut self, calls: u64, queues: u64, changes: u64) {
        let mut rng = rand::rng();
        for _ in 0..calls {
            let key = rates::sender(rng.random_range(0..queues)).into();
            let (queue, _) = self.store.get_queue_rec(&key).unwrap();
            if rng.random_range(0..100) < changes {
                self.store.update_keys(&queue, sample::keys(rng.random())).unwrap();
            }
        }
    }

    /// Compares what is cached with the rows.
    fn compare(&mut self) {
        let loaded = self.store.loaded_queues().unwrap();
        assert_eq!(loaded.is_empty(), !self.is_cached());
        let ids: Vec<RecipientId> =
            loaded.iter().map(|queue| queue.recipient_id().clone()).collect();
        let rows = self.store.database().find_queues(&ids).unwrap();
        for queue in loaded {
            let id = queue.recipient_id();
            let row = rows.iter().find(|(of, _)| of == id);
            let row = row.map(|(_, record)| Arc::new(record.clone().unwrap()));
            assert_eq!(queue.record().read_atomic(), row, "child {}: {id}", self.number);
        }
        assert_eq!(self.store.locks_held(), 0);
    }
}

fn date(round: u64) -> RoundedDate {
    RoundedDate::from_seconds(1_767_225_600 + 86_400 * round as i64)
}
