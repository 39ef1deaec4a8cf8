//! `or_else` on keys that others move: the number of impossible results stays nought.

use crate::harness::{pause, rounds, together};
use simplex_stores::stm::{StmResult, TMap, Transaction, atomically, guard, retry};

const HERE: u8 = 0;
const THERE: u8 = 1;
const MARK: u8 = 2;
/// What a left branch writes and takes back.
const NEVER: u64 = u64::MAX;

/// The token is under one of two keys at any time.
struct Token(TMap<u8, u64>);

impl Token {
    fn new() -> Self {
        let map = TMap::new();
        atomically(|tx| map.insert(tx, HERE, 1));
        Token(map)
    }

    fn moves(&self) {
        atomically(|tx| match pause(self.0.take(tx, &HERE)?) {
            Some(token) => self.0.insert(tx, THERE, token),
            None => {
                let token = self.0.take(tx, &THERE)?;
                self.0.alter(tx, HERE, |_| token)
            }
        });
    }

    fn at(&self, tx: &mut Transaction<'_>, key: u8) -> StmResult<u64> {
        match pause(self.0.get(tx, &key)?) {
            Some(token) => Ok(token),
            None => retry(),
        }
    }

    /// The left branch blindly writes the keys, the one that the right branch reads among them, and retries unless
    /// the token is at the first.
    fn find(&self, first: u8, second: u8) -> Option<u64> {
        atomically(|tx| {
            tx.or_else(
                |tx| {
                    self.0.insert(tx, MARK, NEVER)?;
                    self.0.insert(tx, second, NEVER)?;
                    let token = self.at(tx, first)?;
                    self.0.remove(tx, &MARK)?;
                    self.0.remove(tx, &second)?;
                    Ok(Some(token))
                },
                |tx| tx.or_else(|tx| self.at(tx, second).map(Some), |_| Ok(None)),
            )
        })
    }

    /// The left branch always retries, after it has written all over the map.
    fn find_after_clearing(&self) -> Option<u64> {
        atomically(|tx| {
            tx.or_else(
                |tx| {
                    self.0.clear(tx)?;
                    self.0.union(tx, [(MARK, NEVER), (HERE, NEVER), (THERE, NEVER)])?;
                    retry()
                },
                |tx| {
                    let snapshot = self.0.snapshot(tx)?;
                    Ok(snapshot.iter().map(|(_, token)| token.to_owned()).next())
                },
            )
        })
    }
}

#[test]
fn the_number_of_impossible_results_stays_nought() {
    let token = Token::new();
    let impossible: Vec<usize> = together(4, move |thread| {
        let mut found: Vec<Option<u64>> = Vec::new();
        for _ in 0..rounds() {
            match thread {
                0 => token.moves(),
                1 => found.push(token.find(HERE, THERE)),
                2 => found.push(token.find(THERE, HERE)),
                _ => {
                    found.push(token.find_after_clearing());
                    let outside = token.0.snapshot_atomic();
                    assert_eq!((outside.len(), outside.contains_key(&MARK)), (1, false));
                    found.extend(outside.iter().map(|(_, token)| Some(token.to_owned())));
                }
            }
        }
        found.into_iter().filter(|found| *found != Some(1)).count()
    });
    assert_eq!(impossible, [0; 4]);
}

/// A twin of what the counter counts: the branches as two transactions find the token nowhere when it moves in between.
#[test]
fn twin_branches_that_are_two_transactions_find_nothing() {
    let token = Token::new();
    token.moves();
    let at = |key| atomically(|tx| tx.or_else(|tx| token.at(tx, key).map(Some), |_| Ok(None)));
    let first = at(HERE);
    token.moves();
    assert_eq!((first, at(THERE)), (None, None));
}

/// Two consumers, each with a favourite key, and two producers: every item is taken once, whichever branch wakes.
#[test]
fn everything_that_is_offered_under_two_keys_is_taken_once() {
    let offers: TMap<u8, u64> = TMap::new();
    let sums = together(4, move |thread| {
        let mut sum = 0;
        for round in 1..=rounds() {
            let (favourite, other) = if thread % 2 == 0 { (HERE, THERE) } else { (THERE, HERE) };
            if thread < 2 {
                atomically(|tx| {
                    tx.or_else(
                        |tx| {
                            let before = pause(offers.replace(tx, favourite, round)?);
                            guard(before.is_none())
                        },
                        |tx| {
                            guard(!offers.contains_key(tx, &other)?)?;
                            offers.insert(tx, other, round)
                        },
                    )
                });
                sum += round;
            } else {
                let taken = |tx: &mut Transaction<'_>, key| match pause(offers.take(tx, &key)?) {
                    Some(item) => Ok(item),
                    None => retry(),
                };
                sum +=
                    atomically(|tx| tx.or_else(|tx| taken(tx, favourite), |tx| taken(tx, other)));
            }
        }
        sum
    });
    assert_eq!(sums[0] + sums[1], sums[2] + sums[3]);
}
