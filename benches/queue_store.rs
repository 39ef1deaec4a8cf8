//! How many operations a second does a queue store of a given size do?
//!
//! Every store holds the same queues (100,000, or what `SIMPLEX_STORES_BENCH_QUEUES` says) and is
//! left as it was after each measurement. The time is that of all threads from the first start to
//! the last end; making records and dropping results is not timed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod peers;

use std::cell::OnceCell;
use std::hint::black_box;
use std::time::Duration;

use common::{Fresh, Ids, THREADS, queues, timed};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use peers::Peer;
use peers::dash::Dash;
use peers::locked::Locked;
use peers::scc::Scc;
use peers::stm::Stm;
use simplex_stores::protocol::RoundedDate;

/// Ids in one batch.
const BATCH: usize = 100;

/// A filled store, made when the first measurement needs it.
struct Subject<'a, P: Peer> {
    store: OnceCell<P>,
    ids: &'a Ids,
}

impl<P: Peer> Subject<'_, P> {
    fn store(&self) -> &P {
        self.store.get_or_init(|| {
            let store = P::new();
            store.fill((0..self.ids.senders.len()).map(common::queue));
            store
        })
    }

    /// Measures `run`, which does `each` operations in each thread and says how long they took.
    fn measure(
        &self,
        criterion: &mut Criterion,
        operation: &str,
        each: usize,
        mut run: impl FnMut(&P, usize, usize) -> Duration,
    ) {
        let each = if common::trial() { each.min(BATCH) } else { each };
        let mut group = criterion.benchmark_group(operation);
        group.sampling_mode(SamplingMode::Flat);
        for threads in THREADS {
            group.throughput(Throughput::Elements((each * threads) as u64));
            let name = format!("{}_{threads}", P::NAME);
            let id = BenchmarkId::new(name, self.ids.senders.len());
            group.bench_function(id, |bencher| {
                let store = self.store();
                bencher.iter_custom(|rounds| (0..rounds).map(|_| run(store, threads, each)).sum());
            });
        }
        group.finish();
    }
}

/// The items from a place on, round and round.
fn from<T>(items: &[T], start: usize, count: usize) -> impl Iterator<Item = &T> {
    let first = items.get(start % items.len()..).unwrap_or_default();
    first.iter().chain(items.iter().cycle()).take(count)
}

/// Where each thread starts in the list of ids: another place in every round.
fn starts(round: &mut usize, threads: usize, each: usize) -> Vec<usize> {
    (0..threads)
        .map(|_| {
            *round += each;
            *round
        })
        .collect()
}

fn add<P: Peer>(criterion: &mut Criterion, subject: &Subject<'_, P>) {
    let mut fresh = Fresh::from(subject.ids.senders.len());
    subject.measure(criterion, "add", 10_000, |store, threads, each| {
        let (time, added) = timed(fresh.shares(threads, each), |_, share| {
            share.into_iter().map(|(id, record)| store.add(id, record).unwrap()).collect::<Vec<_>>()
        });
        added.iter().for_each(|queues| store.remove(queues));
        time
    });
}

fn lookup_by_sender<P: Peer>(criterion: &mut Criterion, subject: &Subject<'_, P>) {
    let mut round = 0;
    subject.measure(criterion, "lookup_by_sender", 50_000, |store, threads, each| {
        timed(starts(&mut round, threads, each), |_, start| {
            for id in from(&subject.ids.senders, start, each) {
                black_box(store.by_sender(id).unwrap());
            }
        })
        .0
    });
}

fn lookup_by_notifier<P: Peer>(criterion: &mut Criterion, subject: &Subject<'_, P>) {
    let mut round = 0;
    subject.measure(criterion, "lookup_by_notifier", 50_000, |store, threads, each| {
        timed(starts(&mut round, threads, each), |_, start| {
            for id in from(&subject.ids.notifiers, start, each) {
                black_box(store.by_notifier(id).unwrap());
            }
        })
        .0
    });
}

fn lookup_by_link<P: Peer>(criterion: &mut Criterion, subject: &Subject<'_, P>) {
    let mut round = 0;
    subject.measure(criterion, "lookup_by_link", 50_000, |store, threads, each| {
        timed(starts(&mut round, threads, each), |_, start| {
            for id in from(&subject.ids.links, start, each) {
                black_box(store.by_link(id).unwrap());
            }
        })
        .0
    });
}

/// One operation is one id.
fn batch_by_notifier<P: Peer>(criterion: &mut Criterion, subject: &Subject<'_, P>) {
    let mut round = 0;
    let batches: Vec<_> = subject.ids.notifiers.chunks_exact(BATCH).collect();
    subject.measure(criterion, "batch_by_notifier", 50_000, |store, threads, each| {
        timed(starts(&mut round, threads, each), |_, start| {
            for batch in from(&batches, start / BATCH, each / BATCH) {
                let found = black_box(store.by_notifiers(batch));
                assert!(found.last().unwrap().is_some());
            }
        })
        .0
    });
}

/// Of ten operations eight look up, one sets a date, one adds a queue and deletes it again.
fn mix<P: Peer>(criterion: &mut Criterion, subject: &Subject<'_, P>) {
    let mut fresh = Fresh::from(subject.ids.senders.len());
    let mut round = 0;
    subject.measure(criterion, "mix_80_10_10", 20_000, |store, threads, each| {
        let shares = fresh.shares(threads, each / 10);
        let inputs = starts(&mut round, threads, each).into_iter().zip(shares).collect();
        timed(inputs, |_, (start, share)| {
            let mut share = share.into_iter();
            for (step, id) in from(&subject.ids.senders, start, each).enumerate() {
                match step % 10 {
                    8 => {
                        let queue = store.by_sender(id).unwrap();
                        // Another date every time, since an equal one changes nothing.
                        let date = RoundedDate::from_seconds((start + step) as i64 * 86_400);
                        assert!(store.touch(&queue, date));
                    }
                    9 => {
                        let (id, record) = share.next().unwrap();
                        let queue = store.add(id, record).unwrap();
                        assert!(store.delete(&queue));
                    }
                    _ => drop(black_box(store.by_sender(id).unwrap())),
                }
            }
        })
        .0
    });
}

fn all<P: Peer>(criterion: &mut Criterion, ids: &Ids) {
    let subject = Subject::<P> { store: OnceCell::new(), ids };
    lookup_by_sender(criterion, &subject);
    lookup_by_notifier(criterion, &subject);
    lookup_by_link(criterion, &subject);
    batch_by_notifier(criterion, &subject);
    add(criterion, &subject);
    mix(criterion, &subject);
}

fn main() {
    let mut criterion = common::criterion();
    let ids = Ids::of(queues());
    all::<Stm>(&mut criterion, &ids);
    if !common::REFERENCE_ENGINE {
        all::<Locked>(&mut criterion, &ids);
        all::<Dash>(&mut criterion, &ids);
        all::<Scc>(&mut criterion, &ids);
    }
    criterion.final_summary();
}
