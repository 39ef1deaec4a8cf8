//! Transfers between accounts: nobody ever finds another sum, wherever and however they look.

use crate::harness::{pause, rounds, together};
use quickcheck::{Arbitrary, Gen};
use simplex_stores::stm::{
    StmResult, TMap, TVar, Transaction, abort, atomically, guard, try_atomically,
};
use std::sync::Arc;

const ACCOUNTS: u8 = 8;
const BALANCE: u64 = 5;
const TOTAL: u64 = BALANCE * ACCOUNTS as u64;

/// From, to, and how much.
fn transfers(seed: u64) -> impl Iterator<Item = (u8, u8, u64)> {
    let mut g = Gen::from_size_and_seed(10, seed);
    let transfer = move || {
        let (from, to, amount) =
            (u8::arbitrary(&mut g), u8::arbitrary(&mut g), u64::arbitrary(&mut g));
        (from % ACCOUNTS, to % ACCOUNTS, 1 + amount % 4)
    };
    std::iter::repeat_with(transfer).take(rounds() as usize)
}

/// Accounts in a map; one that is empty isn't there, so transfers insert and remove keys.
#[derive(Clone)]
struct Accounts(TMap<u8, u64>);

impl Accounts {
    fn new() -> Self {
        let map = TMap::new();
        atomically(|tx| map.union(tx, (0..ACCOUNTS).map(|account| (account, BALANCE))));
        Accounts(map)
    }

    fn add(&self, tx: &mut Transaction<'_>, account: u8, amount: u64) -> StmResult<()> {
        self.0.alter(tx, account, |balance| Some(balance.unwrap_or(0) + amount))
    }

    /// Takes the amount away and says whether that much was there.
    fn pay(&self, tx: &mut Transaction<'_>, account: u8, amount: u64) -> StmResult<bool> {
        let balance = pause(self.0.get(tx, &account)?.unwrap_or(0));
        match balance.checked_sub(amount) {
            None => return Ok(false),
            Some(0) => self.0.remove(tx, &account)?,
            Some(left) => self.0.insert(tx, account, left)?,
        }
        Ok(true)
    }

    fn one_by_one(&self) -> u64 {
        let balance =
            |tx: &mut Transaction<'_>, account| Ok(pause(self.0.get(tx, &account)?.unwrap_or(0)));
        atomically(|tx| (0..ACCOUNTS).map(|account| balance(tx, account)).sum())
    }

    fn by_snapshot(&self) -> u64 {
        let snapshot = atomically(|tx| self.0.snapshot(tx));
        snapshot.iter().map(|(_, balance)| balance.to_owned()).sum()
    }

    fn by_snapshot_outside(&self) -> u64 {
        self.0.snapshot_atomic().iter().map(|(_, balance)| balance.to_owned()).sum()
    }
}

#[test]
fn transfers_within_a_map_keep_the_sum_in_every_snapshot() {
    let accounts = Accounts::new();
    let end = accounts.clone();
    together(4, move |thread| match thread {
        0 | 1 => {
            for (from, to, amount) in transfers(thread as u64) {
                let paid = try_atomically(|tx| {
                    accounts.add(tx, to, amount)?;
                    // The money is in the other account already: an abort takes it out again.
                    if accounts.pay(tx, from, amount)? { Ok(()) } else { abort("not enough") }
                });
                assert!(paid.is_ok() || paid == Err("not enough"));
            }
        }
        2 => (0..rounds()).for_each(|_| assert_eq!(accounts.by_snapshot_outside(), TOTAL)),
        _ => {
            for _ in 0..rounds() {
                assert_eq!((accounts.one_by_one(), accounts.by_snapshot()), (TOTAL, TOTAL));
            }
        }
    });
    assert_eq!(end.by_snapshot_outside(), TOTAL);
}

/// Money that moves between a map and variables is always in one of them.
#[test]
fn transfers_between_a_map_and_variables_keep_the_sum() {
    let (accounts, safe) = (Accounts::new(), Arc::new([TVar::new(0), TVar::new(0)]));
    let (end, end_safe) = (accounts.clone(), safe.clone());
    let sum = |accounts: &Accounts, safe: &[TVar<u64>; 2]| {
        atomically(|tx| {
            let snapshot = pause(accounts.0.snapshot(tx)?);
            let saved = safe[0].read(tx)? + safe[1].read(tx)?;
            Ok(saved + snapshot.iter().map(|(_, balance)| balance.to_owned()).sum::<u64>())
        })
    };
    together(3, move |thread| match thread {
        2 => (0..rounds()).for_each(|_| assert_eq!(sum(&accounts, &safe), TOTAL)),
        _ => {
            for (from, to, amount) in transfers(10 + thread as u64) {
                atomically(|tx| {
                    tx.or_else(
                        |tx| {
                            safe[thread].modify(tx, |saved| saved + amount)?;
                            guard(accounts.pay(tx, from, amount)?)
                        },
                        |tx| {
                            let saved = safe[thread].replace(tx, 0)?;
                            if saved > 0 { accounts.add(tx, to, saved) } else { Ok(()) }
                        },
                    )
                });
            }
        }
    });
    assert_eq!(sum(&end, &end_safe), TOTAL);
}
