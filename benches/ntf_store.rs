//! How many operations a second does a store of notifications of a given size do?
//!
//! Every store holds the same subscriptions (100,000, or what `SIMPLEX_STORES_BENCH_QUEUES` says) of a tenth as
//! many tokens, and is left as it was after each measurement. The time is that of all threads from the
//! first start to the last end; making records and dropping results is not timed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod ntf_peers;

use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::time::Duration;

use common::{THREADS, queues, timed};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use ntf_peers::{Locked, NtfPeer, Sample, Stm};
use simplex_stores::ntf_store::Subscription;

/// How many subscriptions the token has whose deletion is measured.
const MANY: usize = 10_000;

/// A filled store, made when the first measurement needs it.
struct Subject<P> {
    store: OnceCell<P>,
    sample: Sample,
    /// The number of the next subscription or notification that no store has seen.
    next: Cell<usize>,
}

impl<P: NtfPeer> Subject<P> {
    fn new(size: usize) -> Self {
        Self { store: OnceCell::new(), sample: Sample::new(size), next: Cell::new(size) }
    }

    fn store(&self) -> &P {
        self.store.get_or_init(|| {
            let store = P::new();
            (0..self.sample.tokens).for_each(|token| store.add_token(self.sample.token(token)));
            (0..self.sample.size).for_each(|n| store.add(self.sample.subscription(n)));
            store
        })
    }

    /// The next `each` numbers for each of the threads.
    fn shares(&self, threads: usize, each: usize) -> Vec<std::ops::Range<usize>> {
        let first = self.next.replace(self.next.get() + threads * each);
        (0..threads).map(|thread| first + thread * each..first + (thread + 1) * each).collect()
    }

    /// Measures `run`, which does `each` operations in each thread and says how long they took.
    fn measure(
        &self,
        criterion: &mut Criterion,
        operation: &str,
        each: usize,
        mut run: impl FnMut(&P, usize, usize) -> Duration,
    ) {
        let each = if common::trial() { each.min(100) } else { each };
        let mut group = criterion.benchmark_group(operation);
        group.sampling_mode(SamplingMode::Flat);
        for threads in THREADS {
            group.throughput(Throughput::Elements((each * threads) as u64));
            let id = BenchmarkId::new(format!("{}_{threads}", P::NAME), self.sample.size);
            group.bench_function(id, |bencher| {
                let store = self.store();
                bencher.iter_custom(|rounds| (0..rounds).map(|_| run(store, threads, each)).sum());
            });
        }
        group.finish();
    }
}

fn add_subscription<P: NtfPeer>(criterion: &mut Criterion, subject: &Subject<P>) {
    subject.measure(criterion, "ntf_add_subscription", 10_000, |store, threads, each| {
        let shares = subject.shares(threads, each);
        let made = |share: std::ops::Range<usize>| -> Vec<Arc<Subscription>> {
            share.map(|n| subject.sample.subscription(n)).collect()
        };
        let (time, _) = timed(shares.iter().cloned().map(made).collect(), |_, made| {
            made.into_iter().for_each(|one| store.add(one));
        });
        for n in shares.into_iter().flatten() {
            assert!(store.delete(subject.sample.subscription(n).id()), "it was added");
        }
        time
    });
}

fn append_notification<P: NtfPeer>(criterion: &mut Criterion, subject: &Subject<P>) {
    subject.measure(criterion, "ntf_append", 20_000, |store, threads, each| {
        let shares = subject.shares(threads, each).into_iter();
        let inputs = shares.map(|share| share.map(|n| subject.sample.ntf(n)).collect()).collect();
        timed(inputs, |_, ntfs: Vec<_>| {
            for (token_id, ntf) in ntfs {
                assert!(store.append(&token_id, ntf), "there is such a token");
            }
        })
        .0
    });
}

/// One operation is one subscription of the token.
fn delete_token<P: NtfPeer>(criterion: &mut Criterion, subject: &Subject<P>) {
    subject.measure(criterion, "ntf_delete_token", MANY, |store, threads, each| {
        let inputs = (subject.shares(threads, each).into_iter().enumerate())
            .map(|(thread, share)| {
                let token = subject.sample.token(subject.sample.tokens + thread);
                let id = token.id().clone();
                store.add_token(token);
                share.for_each(|n| store.add(subject.sample.subscription_of(n, &id)));
                id
            })
            .collect();
        let (time, gone) = timed(inputs, |_, id| store.delete_token(&id));
        assert!(gone.iter().all(|queues| *queues == each), "all its subscriptions went");
        time
    });
}

fn all<P: NtfPeer>(criterion: &mut Criterion) {
    let subject = Subject::<P>::new(queues());
    add_subscription(criterion, &subject);
    append_notification(criterion, &subject);
    delete_token(criterion, &subject);
}

fn main() {
    let mut criterion = common::criterion();
    all::<Stm>(&mut criterion);
    all::<Locked>(&mut criterion);
    criterion.final_summary();
}
