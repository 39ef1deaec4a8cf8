//! A map or set as it was at one moment.

use super::engine::Whole;
#[cfg(native_engine)]
use super::engine::{Viewed, register_all};
#[cfg(not(native_engine))]
use super::error::StmResult;
use super::tmap::TMap;
#[cfg(not(native_engine))]
use super::transaction::{Transaction, atomically};
use super::tset::{SetSnapshot, TSet};
use std::fmt;
use std::hash::Hash;

/// All entries of a [`TMap`] at one moment.
///
/// It shares with the map what doesn't change while it is held, so taking one costs next to nothing, however large the map; a
/// clone costs as little. What it returns are clones of keys and values.
///
/// ```
/// use simplex_stores::stm::{TMap, atomically};
///
/// let map = TMap::new();
/// atomically(|tx| map.union(tx, [(2, "b"), (1, "a")]));
/// let snapshot = map.snapshot_atomic();
/// atomically(|tx| map.clear(tx));
/// assert_eq!(snapshot.iter_sorted(), [(1, "a"), (2, "b")]);
/// ```
pub struct Snapshot<K, V> {
    whole: Whole<K, V>,
}

impl<K: Hash + Eq + Clone, V: Clone> Snapshot<K, V> {
    pub(super) fn of(whole: Whole<K, V>) -> Self {
        Snapshot { whole }
    }

    /// The value of `key`, if it has one.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        self.whole.get(key)
    }

    /// Whether `key` has a value.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.whole.contains(key)
    }

    /// How many entries there are. On the native engine this looks at every part of the map.
    #[must_use]
    pub fn len(&self) -> usize {
        self.whole.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The entries, in no particular order. No lock is held between two of them.
    pub fn iter(&self) -> impl Iterator<Item = (K, V)> {
        self.whole.iter()
    }

    /// The entries by ascending key (TM-23).
    #[must_use]
    pub fn iter_sorted(&self) -> Vec<(K, V)>
    where
        K: Ord,
    {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        entries
    }
}

impl<K, V> Clone for Snapshot<K, V> {
    fn clone(&self) -> Self {
        Snapshot { whole: self.whole.clone() }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> fmt::Debug for Snapshot<K, V> {
    /// Shows how many entries there are, not what they are: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot {{ len: {} }}", self.len())
    }
}

/// Snapshots of several maps and sets at the same moment, outside of any transaction.
///
/// `maps` is a tuple of references to [`TMap`]s and [`TSet`]s; the result is the tuple of their snapshots. Like the snapshot of one, it
/// keeps no writer waiting and never starves.
///
/// ```
/// use simplex_stores::stm::{TMap, TSet, atomically, snapshot_together};
///
/// let (owners, boxes) = (TMap::new(), TSet::new());
/// atomically(|tx| {
///     owners.insert(tx, "ann", 1)?;
///     boxes.insert(tx, 1)
/// });
/// let (owners, boxes) = snapshot_together((&owners, &boxes));
/// assert!(boxes.contains(&owners.get(&"ann").unwrap()));
/// ```
pub fn snapshot_together<M: Snapshots>(maps: M) -> M::Taken {
    maps.take()
}

/// Maps and sets of which [`snapshot_together`] can take snapshots: a tuple of up to six references.
pub trait Snapshots {
    /// Their snapshots.
    type Taken;

    #[doc(hidden)]
    fn take(self) -> Self::Taken;
}

mod sealed {
    #[cfg(native_engine)]
    use super::super::engine::Viewed;
    #[cfg(not(native_engine))]
    use super::{StmResult, Transaction};

    /// A reference to a map or set.
    pub trait Source {
        type Taken;

        #[cfg(native_engine)]
        fn viewed(&self) -> &dyn Viewed;

        #[cfg(native_engine)]
        fn registered(&self, time: u64) -> Self::Taken;

        #[cfg(not(native_engine))]
        fn taken(&self, tx: &mut Transaction<'_>) -> StmResult<Self::Taken>;
    }
}

use sealed::Source;

impl<K, V> Source for &TMap<K, V>
where
    K: Ord + Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    type Taken = Snapshot<K, V>;

    #[cfg(native_engine)]
    fn viewed(&self) -> &dyn Viewed {
        self.map.viewed()
    }

    #[cfg(native_engine)]
    fn registered(&self, time: u64) -> Snapshot<K, V> {
        Snapshot::of(self.map.whole_registered(time))
    }

    #[cfg(not(native_engine))]
    fn taken(&self, tx: &mut Transaction<'_>) -> StmResult<Snapshot<K, V>> {
        self.snapshot(tx)
    }
}

impl<K: Ord + Hash + Eq + Clone + Send + Sync + 'static> Source for &TSet<K> {
    type Taken = SetSnapshot<K>;

    #[cfg(native_engine)]
    fn viewed(&self) -> &dyn Viewed {
        self.map.map.viewed()
    }

    #[cfg(native_engine)]
    fn registered(&self, time: u64) -> SetSnapshot<K> {
        SetSnapshot(Snapshot::of(self.map.map.whole_registered(time)))
    }

    #[cfg(not(native_engine))]
    fn taken(&self, tx: &mut Transaction<'_>) -> StmResult<SetSnapshot<K>> {
        self.snapshot(tx)
    }
}

macro_rules! tuples {
    ($($source:ident)+) => {
        #[allow(non_snake_case, reason = "the types' names serve for the values")]
        impl<$($source: Source),+> Snapshots for ($($source,)+) {
            type Taken = ($($source::Taken,)+);

            #[cfg(native_engine)]
            fn take(self) -> Self::Taken {
                let ($($source,)+) = self;
                let time = register_all(&mut [$($source.viewed()),+]);
                ($($source.registered(time),)+)
            }

            #[cfg(not(native_engine))]
            fn take(self) -> Self::Taken {
                let ($($source,)+) = self;
                atomically(|tx| Ok(($($source.taken(tx)?,)+)))
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
