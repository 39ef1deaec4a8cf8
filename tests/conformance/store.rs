//! Behaviours of the in-memory store that no single operation shows (QS-).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use simplex_stores::protocol::{ErrorType, QueueRec, RecipientId, Semantics, ServiceParty};
use simplex_stores::queue_store::{
    BasicFactory, BasicQueue, QueueFactory, QueueStore, StmQueueStore, StoreQueue,
};
use simplex_stores::stm::{TVar, abort};
use simplex_stores::sync::atomic::{AtomicUsize, Ordering};
use simplex_stores::sync::{Mutex, thread::spawn};

use crate::sample::{
    BOTH, CHANGES, MESSAGING, NOTIFIER, Running, STRICT, creds, finds, full_rec, key, nid, rec,
    rid, service, vid,
};

/// Counts the objects that it makes.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl QueueFactory for Counting {
    type Queue = BasicQueue;

    fn make_queue(&self, id: RecipientId, record: Arc<QueueRec>) -> BasicQueue {
        self.0.fetch_add(1, Ordering::Relaxed);
        BasicQueue::new(id, record)
    }
}

#[test]
fn qs9_the_object_is_made_once_before_the_check_and_dropped_when_that_fails() {
    for semantics in BOTH {
        let factory = Counting::default();
        let store = StmQueueStore::new(factory.clone(), semantics);
        store.add_queue(rid(1), rec(1)).unwrap();
        assert_eq!(store.add_queue(rid(1), rec(2)).err(), Some(ErrorType::Duplicate));
        assert_eq!(factory.0.load(Ordering::Relaxed), 2);
        assert_eq!(store.loaded_queues().unwrap().len(), 1);
    }
}

#[test]
fn qs10_an_aborted_transaction_writes_no_record_and_a_run_again_writes_one() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        let queue = running.store.add_queue(rid(1), rec(1)).unwrap();
        let aborted = |store: &StmQueueStore| {
            store.transact(|tx, log| {
                store.suspend_queue_tx(tx, log, &queue)?;
                abort::<(), _>(ErrorType::Internal)
            })
        };
        assert_eq!(running.tags(aborted), (Err(ErrorType::Internal), vec![]));
        let mut runs = 0;
        let other = TVar::new(0);
        let disturbed = |store: &StmQueueStore| {
            store.transact(|tx, log| {
                let seen = other.read(tx)?;
                store.suspend_queue_tx(tx, log, &queue)?;
                runs += 1;
                if runs == 1 {
                    // Another thread changes what was read: the body has to run again.
                    let other = other.clone();
                    let disturb = move || simplex_stores::stm::atomically(|tx| other.write(tx, 1));
                    simplex_stores::sync::thread::spawn(disturb).join().unwrap();
                }
                Ok(seen)
            })
        };
        assert_eq!(running.tags(disturbed), (Ok(1), vec!["SUSPEND".to_owned()]));
        assert_eq!(runs, 2);
    }
}

#[test]
fn qs11_without_a_journal_every_change_succeeds_at_once() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let queue = store.add_queue(rid(1), rec(1)).unwrap();
        for (name, change) in CHANGES {
            assert_eq!(change(&store, &queue), Ok(()), "{name}");
        }
    }
}

#[test]
fn qs18_race26_an_id_that_was_replaced_finds_nothing() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let queue = store.add_queue(rid(1), full_rec(1)).unwrap();
        store.add_notifier(&queue, creds(2, None)).unwrap();
        assert_eq!(store.get_queue(&nid(1).into()).err(), Some(ErrorType::Auth));
        let (found, record) = store.get_queue_rec(&nid(2).into()).unwrap();
        assert!(Arc::ptr_eq(&found, &queue));
        assert_eq!(record.notifier.as_deref(), Some(&creds(2, None)));
    }
}

#[test]
fn qs25_a_service_has_a_set_for_each_party_and_strict_fills_the_fitting_one_only() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        store.get_or_create_service(service(1, 1, MESSAGING)).unwrap();
        let queue = store.add_queue(rid(1), full_rec(1)).unwrap();
        store.set_queue_service(&queue, ServiceParty::Receiver, Some(vid(1))).unwrap();
        let answer = store.set_queue_service(&queue, ServiceParty::Notifier, Some(vid(1)));
        let misfit = store.service_count_hash(ServiceParty::Notifier, &vid(1)).unwrap().count;
        match semantics == STRICT {
            true => assert_eq!((answer, misfit), (Err(ErrorType::Service), 0)),
            false => assert_eq!((answer, misfit), (Ok(()), 1)),
        }
        let fitting = store.service_count_hash(ServiceParty::Receiver, &vid(1)).unwrap().count;
        assert_eq!(fitting, 1);
    }
}

#[test]
fn qs27_a_service_stays_when_its_last_queue_is_gone() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        store.get_or_create_service(service(1, 1, NOTIFIER)).unwrap();
        let mut record = rec(1);
        record.notifier = Some(Box::new(creds(1, Some(1))));
        let queue = store.add_queue(rid(1), record).unwrap();
        store.delete_queue(&queue).unwrap();
        let count = store.service_count_hash(ServiceParty::Notifier, &vid(1)).unwrap();
        assert_eq!(count, simplex_stores::protocol::CountHash::EMPTY);
        assert_eq!(store.get_or_create_service(service(2, 1, NOTIFIER)), Ok(vid(1)));
    }
}

#[test]
fn qs30_race29_race31_a_users_own_state_follows_the_record_in_one_transaction() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        let queue = store.add_queue(rid(1), rec(1)).unwrap();
        let messages = TVar::new(0);
        // A message store's write: only while the queue is live and carries the key that was verified.
        let write = |verified: Option<u8>| {
            simplex_stores::stm::try_atomically(|tx| match queue.record().read(tx)? {
                Some(record) if record.sender_key == verified.map(key) => {
                    Ok(messages.modify(tx, |count| count + 1)?)
                }
                _ => abort(ErrorType::Auth),
            })
        };
        assert_eq!(write(None), Ok(()));
        store.secure_queue(&queue, key(1)).unwrap();
        assert_eq!(write(None), Err(ErrorType::Auth));
        assert_eq!(write(Some(1)), Ok(()));
        store.delete_queue(&queue).unwrap();
        assert_eq!(write(Some(1)), Err(ErrorType::Auth));
        assert_eq!(messages.read_atomic(), 2);
    }
}

#[test]
fn race28_a_snapshot_of_a_running_store_closes_nothing() {
    for semantics in BOTH {
        let running = Running::new(semantics);
        running.store.add_queue(rid(1), rec(1)).unwrap();
        let path = running.path().with_extension("snapshot");
        running.store.save_snapshot(&path).unwrap();
        let queue = running.store.get_queue(&rid(1).into()).unwrap();
        assert_eq!(running.tags(|store| store.secure_queue(&queue, key(1))).1, ["SECURE"]);
        let loaded = StmQueueStore::load_snapshot(&path, BasicFactory).unwrap();
        assert!(finds(&loaded, rid(1)));
    }
}

/// What a [`Trapped`] queue does when its record is looked at.
type Trap = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// A queue whose own code springs a trap, once, when its record is looked at.
struct Trapped {
    queue: BasicQueue,
    trap: Trap,
}

impl StoreQueue for Trapped {
    fn recipient_id(&self) -> &RecipientId {
        self.queue.recipient_id()
    }

    fn record(&self) -> &TVar<Option<Arc<QueueRec>>> {
        let trap = self.trap.lock().take();
        if let Some(spring) = trap {
            spring();
        }
        self.queue.record()
    }
}

#[derive(Default)]
struct Trapping(Trap);

impl QueueFactory for Trapping {
    type Queue = Trapped;

    fn make_queue(&self, id: RecipientId, record: Arc<QueueRec>) -> Trapped {
        Trapped { queue: BasicQueue::new(id, record), trap: Arc::clone(&self.0) }
    }
}

/// A store with one queue, and the trap of its queues.
fn trapping(semantics: Semantics) -> (Arc<StmQueueStore<Trapping>>, Arc<Trapped>, Trap) {
    let trap = Trap::default();
    let store = StmQueueStore::new(Trapping(Arc::clone(&trap)), semantics);
    let queue = store.add_queue(rid(1), rec(1)).unwrap();
    (Arc::new(store), queue, trap)
}

/// Suspends the queue, or says that changes wait.
fn suspend(store: &StmQueueStore<Trapping>, queue: &Trapped) -> Result<(), ErrorType> {
    store.transact(|tx, log| {
        tx.or_else(|tx| store.suspend_queue_tx(tx, log, queue), |_| abort(waits()))
    })
}

fn waits() -> ErrorType {
    ErrorType::Store("changes wait".into())
}

#[test]
fn race28_changes_wait_while_the_whole_store_is_read() {
    type Read = fn(&StmQueueStore<Trapping>);
    let reads: [Read; 2] =
        [|store| drop(store.snapshot()), |store| store.compacted(&mut |_| Ok(())).unwrap()];
    for semantics in BOTH {
        for read in reads {
            let (store, queue, trap) = trapping(semantics);
            let (other, told) = (Arc::clone(&store), Arc::new(Mutex::new(None)));
            let tell = Arc::clone(&told);
            let change = Arc::clone(&queue);
            let spring = move || *tell.lock() = Some(suspend(&other, &change));
            *trap.lock() = Some(Box::new(move || spawn(spring).join().unwrap()));
            read(&store);
            assert_eq!(*told.lock(), Some(Err(waits())), "{semantics:?}");
            assert_eq!(suspend(&store, &queue), Ok(()));
        }
    }
}

#[test]
fn race28_changes_go_on_after_a_snapshot_that_panicked() {
    for semantics in BOTH {
        let (store, queue, trap) = trapping(semantics);
        *trap.lock() = Some(Box::new(|| std::panic::resume_unwind(Box::new("the user's code"))));
        assert!(catch_unwind(AssertUnwindSafe(|| store.snapshot())).is_err());
        assert_eq!(suspend(&store, &queue), Ok(()));
    }
}

#[test]
fn race33_a_certificate_makes_one_service_and_a_refused_one_leaves_nothing() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        store.get_or_create_service(service(1, 1, MESSAGING)).unwrap();
        let before = store.snapshot();
        for number in 2..9 {
            assert_eq!(store.get_or_create_service(service(number, 1, MESSAGING)), Ok(vid(1)));
            let other_role = store.get_or_create_service(service(number, 1, NOTIFIER));
            assert_eq!(other_role, Err(ErrorType::Service));
            let taken_id = store.get_or_create_service(service(1, number, MESSAGING));
            assert_eq!(taken_id, Err(ErrorType::Duplicate));
        }
        assert_eq!(store.snapshot(), before);
    }
}

#[test]
fn race40_nothing_stays_of_what_was_refused_replaced_or_deleted() {
    for semantics in BOTH {
        let store = StmQueueStore::new(BasicFactory, semantics);
        store.get_or_create_service(service(1, 1, NOTIFIER)).unwrap();
        let before = store.snapshot();
        let queue = store.add_queue(rid(1), full_rec(1)).unwrap();
        assert_eq!(store.add_queue(rid(1), full_rec(2)).err(), Some(ErrorType::Duplicate));
        for number in 2..9 {
            store.add_notifier(&queue, creds(number, None)).unwrap();
            store.set_queue_service(&queue, ServiceParty::Notifier, Some(vid(1))).unwrap();
        }
        store.delete_link_data(&queue).unwrap();
        store.delete_queue(&queue).unwrap();
        let mut left = store.snapshot();
        if semantics == STRICT {
            let object = Arc::downgrade(&queue);
            drop(queue);
            assert!(object.upgrade().is_none(), "somebody still has the deleted queue");
        } else {
            // The tombstone that the reference's answers need (QS-12).
            assert!(left.queues.iter().all(|entry| entry.record.is_none()));
            left.queues.clear();
        }
        assert_eq!(left, before);
    }
}
