//! The fuzzer's entry point for whole logs, run on a bounded number of inputs: logs of a few
//! records with seeded damage. `SIMPLEX_STORES_FUZZ_INPUTS` sets how many; millions want `--release`.

use quickcheck::{Arbitrary, Gen};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use simplex_stores::{
    protocol::RecipientId,
    store_log::LogRecord,
    testing::{fuzz::store_log_replay, mutate::mutate},
};

use crate::{
    campaign,
    support::{create, lines, time},
};

const SEED: u64 = 0x10_6025;

/// A record about one of few queues, so that records meet, or about any.
fn record(g: &mut Gen) -> LogRecord {
    let number = u32::from(u8::arbitrary(g) % 4);
    let few = |record: &LogRecord| record.recipient_id().cloned();
    let Some(id) = few(&create(number)) else { return create(number) };
    match (u8::arbitrary(g) % 8, LogRecord::arbitrary(g)) {
        (0, _) => create(number),
        (1, _) => time(number, u32::from(u8::arbitrary(g))),
        (2..6, other) => about(id, other),
        (_, other) => other,
    }
}

fn about(id: RecipientId, record: LogRecord) -> LogRecord {
    use LogRecord as R;
    match record {
        R::CreateQueue(_, queue) => R::CreateQueue(id, queue),
        R::CreateLink(_, link) => R::CreateLink(id, link),
        R::DeleteLink(_) => R::DeleteLink(id),
        R::SecureQueue(_, key) => R::SecureQueue(id, key),
        R::UpdateKeys(_, keys) => R::UpdateKeys(id, keys),
        R::AddNotifier(_, notifier) => R::AddNotifier(id, notifier),
        R::SuspendQueue(_) => R::SuspendQueue(id),
        R::BlockQueue(_, info) => R::BlockQueue(id, info),
        R::UnblockQueue(_) => R::UnblockQueue(id),
        R::DeleteQueue(_) => R::DeleteQueue(id),
        R::DeleteNotifier(_) => R::DeleteNotifier(id),
        R::UpdateTime(_, date) => R::UpdateTime(id, date),
        R::QueueService(_, party, service) => R::QueueService(id, party, service),
        R::NewService(service) => R::NewService(service),
    }
}

#[test]
fn whole_logs_with_damage_are_accounted_for_and_compacted_once() {
    campaign::run(campaign::inputs(campaign::FUZZ_INPUTS, 1000), |piece, count| {
        let mut g = Gen::from_size_and_seed(20, SEED + piece);
        let mut rng = StdRng::seed_from_u64(SEED + piece);
        let mut other = Vec::new();
        for _ in 0..count {
            let records: Vec<_> = (0..rng.random_range(0..12)).map(|_| record(&mut g)).collect();
            let mut log = lines(&records);
            store_log_replay(&log);
            for _ in 0..rng.random_range(0..4) {
                mutate(&mut rng, &mut log, &other);
            }
            store_log_replay(&log);
            other = log;
        }
    });
}
