//! Files that no store wrote: they are refused or make a sound store, and nothing panics.

use std::path::Path;
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde::ser::SerializeTuple;
use serde::{Serialize, Serializer};
use simplex_stores::ntf_store::{
    NTF_SNAPSHOT, NtfFileError, NtfFileForm, NtfSnapshot, NtfStore, StoredNtf, Token,
};
use simplex_stores::protocol::ntf::{TokenNtf, TokenRec};
use simplex_stores::protocol::{Semantics, ServiceId};
use simplex_stores::store_log::write_snapshot;
use simplex_stores::testing::MemStorage;
use simplex_stores::testing::fuzz::ntf_file;
use simplex_stores::testing::mutate::mutate;

use simplex_stores::testing::ntf_store::sample::{ntf, server, subscription, token, token_id};

use crate::files_support::{BOTH_SEMANTICS, FILE, config, random_store, saved};
use crate::items::{added, with_token};

const SEED: u64 = 0x6e74_6600;

/// How many inputs; `SIMPLEX_STORES_FUZZ_INPUTS` sets more.
fn inputs() -> usize {
    match std::env::var("SIMPLEX_STORES_FUZZ_INPUTS") {
        Ok(number) => number.parse().expect("SIMPLEX_STORES_FUZZ_INPUTS is a number"),
        Err(_) => 300,
    }
}

/// Bytes that are written as they are, without their number.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

/// A file with this as a snapshot, in a frame with the right checksum.
fn framed(value: &impl Serialize) -> MemStorage {
    let disk = MemStorage::new();
    write_snapshot(&disk, Path::new(FILE), NTF_SNAPSHOT, value).unwrap();
    disk
}

/// Loads it under both semantics. A strict store is sound; each can be used and saved.
fn load(disk: &MemStorage) -> Result<NtfStore, NtfFileError> {
    let [strict, reference] = BOTH_SEMANTICS.map(|semantics| {
        NtfStore::load(&config(disk.clone(), NtfFileForm::Text).semantics(semantics))
    });
    if let Ok((store, _)) = &strict {
        assert_eq!(store.check_invariants().err(), None);
    }
    for (store, _) in [&strict, &reference].into_iter().flatten() {
        use_all_of(store);
    }
    strict.map(|(store, _)| store)
}

/// Calls that walk over every index entry; then nothing is left that belonged to a token.
fn use_all_of(store: &NtfStore) {
    let snapshot = store.snapshot();
    for rec in &snapshot.tokens {
        let Some(token) = store.get_token(&rec.id) else { continue };
        drop(store.find_token(&rec.device, &rec.verify_key));
        drop(store.remove_rivals(&token));
        let _ = store.remove_registration(&token);
    }
    saved(store, NtfFileForm::Text);
    for (id, _) in &snapshot.token_subscriptions {
        drop(store.delete_token(id));
    }
    for rec in &snapshot.tokens {
        drop(store.delete_token(&rec.id));
    }
    for rec in &snapshot.subscriptions {
        drop(store.delete_subscription(&rec.id));
    }
    let left = store.snapshot();
    assert!(left.tokens.is_empty() && left.subscriptions.is_empty());
}

#[test]
fn snapshots_with_any_damage_inside_their_frame_are_refused_or_sound() {
    let mut g = Gen::from_size_and_seed(10, SEED);
    let mut rng = StdRng::seed_from_u64(SEED);
    let payloads: Vec<Vec<u8>> = (0..20)
        .map(|round| {
            let store = random_store(&mut g, BOTH_SEMANTICS[round % 2], 30);
            let (disk, ..) = saved(&store, NtfFileForm::Binary);
            disk.read(FILE).unwrap()[64..].to_vec()
        })
        .collect();
    let mut refused = 0;
    for _ in 0..inputs() {
        let [mut payload, other] =
            [(); 2].map(|()| payloads[rng.random_range(0..payloads.len())].clone());
        if rng.random_bool(0.7) {
            let at = rng.random_range(0..payload.len());
            payload[at] = rng.next_u32() as u8;
        } else {
            mutate(&mut rng, &mut payload, &other);
        }
        refused += usize::from(load(&framed(&Raw(&payload))).is_err());
    }
    assert!(refused > inputs() / 4, "{refused}");
}

/// Does something to a list: loses, repeats or exchanges entries.
fn disturb<T: Clone>(rng: &mut impl Rng, list: &mut Vec<T>) {
    if list.is_empty() {
        return;
    }
    let (at, other) = (rng.random_range(0..list.len()), rng.random_range(0..list.len()));
    match rng.random_range(0..3) {
        0 => drop(list.remove(at)),
        1 => list.insert(at, list[other].clone()),
        _ => list.swap(at, other),
    }
}

/// Makes one part of a snapshot disagree with the others.
fn disagree(rng: &mut impl Rng, snapshot: &mut NtfSnapshot) {
    match rng.random_range(0..10) {
        0 => disturb(rng, &mut snapshot.tokens),
        1 => disturb(rng, &mut snapshot.registrations),
        2 => disturb(rng, &mut snapshot.subscriptions),
        3 => disturb(rng, &mut snapshot.token_subscriptions),
        4 => disturb(rng, &mut snapshot.queue_subscriptions),
        5 => disturb(rng, &mut snapshot.last_ntfs),
        6 => snapshot.registrations.iter_mut().for_each(|one| disturb(rng, &mut one.tokens)),
        7 => snapshot.token_subscriptions.iter_mut().for_each(|(_, ids)| disturb(rng, ids)),
        8 => {
            let ids: Vec<_> = snapshot.tokens.iter().map(|rec| rec.id.clone()).collect();
            for rec in &mut snapshot.subscriptions {
                rec.token_id = ids[rng.random_range(0..ids.len())].clone();
            }
        }
        _ => {
            for one in snapshot.registrations.iter_mut().flat_map(|one| &mut one.tokens) {
                one.registered = true;
            }
        }
    }
}

#[test]
fn snapshots_whose_parts_disagree_are_refused_under_strict() {
    let mut g = Gen::from_size_and_seed(10, SEED);
    let mut rng = StdRng::seed_from_u64(SEED);
    let (mut disordered, mut inconsistent, mut same) = (0, 0, 0);
    for _ in 0..inputs() / 2 {
        let store = random_store(&mut g, Semantics::Strict, 40);
        let mut snapshot = store.snapshot();
        if snapshot.tokens.is_empty() {
            continue;
        }
        disagree(&mut rng, &mut snapshot);
        match load(&framed(&snapshot)) {
            // Losing all of a token's notifications cannot be seen.
            Ok(loaded) => {
                same += 1;
                drop(loaded);
            }
            Err(NtfFileError::Disordered { .. }) => disordered += 1,
            Err(NtfFileError::Inconsistent { violations, total, .. }) => {
                assert_eq!(violations.len() as u64, total);
                inconsistent += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(disordered > 10 && inconsistent > 10, "{disordered}, {inconsistent}, {same}");
}

#[test]
fn a_snapshot_of_a_broken_store_under_reference_is_refused_under_strict_with_the_reason() {
    let mut g = Gen::from_size_and_seed(10, 4);
    let store = NtfStore::new(Semantics::Reference);
    let rec = TokenRec::arbitrary(&mut g);
    let elsewhere = TokenRec { id: rec.id.clone(), ..TokenRec::arbitrary(&mut g) };
    store.add_token(Arc::new(Token::new(rec.clone())));
    store.add_token(Arc::new(Token::new(elsewhere)));
    let (_, config, _) = saved(&store, NtfFileForm::Binary);
    let (loaded, _) = NtfStore::load(&config.clone().semantics(Semantics::Reference)).unwrap();
    assert_eq!(loaded.snapshot(), store.snapshot());
    let refused = NtfStore::load(&config.semantics(Semantics::Strict)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "/ntf/F: 1 things do not hold, first: a device token lists token {}, which is not there or \
             has another device token or key; no strict store wrote this: load it under reference \
             semantics, and save it as text",
            rec.id
        )
    );
}

#[test]
fn a_snapshot_of_a_sound_store_under_reference_is_a_strict_store() {
    let mut g = Gen::from_size_and_seed(10, 4);
    let store = NtfStore::new(Semantics::Reference);
    let rec = TokenRec::arbitrary(&mut g);
    store.add_token(Arc::new(Token::new(rec.clone())));
    for _ in 0..150 {
        drop(store.store_last_ntf(&rec.id, Arc::new(TokenNtf::arbitrary(&mut g))));
    }
    let (_, config, _) = saved(&store, NtfFileForm::Binary);
    let (loaded, report) = NtfStore::load(&config.semantics(Semantics::Strict)).unwrap();
    assert_eq!((loaded.semantics(), report.over_limit), (Semantics::Strict, 50));
    assert_eq!(loaded.check_invariants().err(), None);
    assert_eq!(loaded.last_ntfs(&rec.id), store.last_ntfs(&rec.id)[..100]);
}

#[test]
fn damaged_texts_never_make_a_broken_store() {
    let mut g = Gen::from_size_and_seed(10, SEED);
    let mut rng = StdRng::seed_from_u64(SEED);
    let texts: Vec<Vec<u8>> = (0..20)
        .map(|_| {
            let store = random_store(&mut g, Semantics::Strict, 30);
            saved(&store, NtfFileForm::Text).0.read(FILE).unwrap()
        })
        .collect();
    for _ in 0..inputs() {
        let [mut text, other] = [(); 2].map(|()| texts[rng.random_range(0..texts.len())].clone());
        mutate(&mut rng, &mut text, &other);
        ntf_file(&text);
    }
}

/// Two of everything.
fn two_of_each() -> NtfSnapshot {
    let store = NtfStore::new(Semantics::Strict);
    for (number, device) in [(1, 1), (2, 1), (3, 2)] {
        with_token(&store, token(number, device, number));
        assert_ne!(store.store_last_ntf(&token_id(number), ntf(1, 1)), StoredNtf::UnknownToken);
    }
    for (number, token) in [(1, 1), (2, 1), (3, 2)] {
        added(&store, subscription(number, token, number));
    }
    for number in [1, 2] {
        let service = ServiceId::from_bytes(&[number]);
        assert_eq!(store.set_service(&server(number), service), None);
    }
    store.snapshot()
}

fn disorder<T: Clone>(list: &mut Vec<T>, twice: bool) {
    if twice { list.insert(0, list[0].clone()) } else { list.swap(0, 1) }
}

#[test]
fn each_list_of_a_snapshot_must_be_in_order_and_have_each_key_once() {
    type Damage = fn(&mut NtfSnapshot, bool);
    let lists: [(&str, Damage); 9] = [
        ("tokens", |s, twice| disorder(&mut s.tokens, twice)),
        ("device tokens", |s, twice| disorder(&mut s.registrations, twice)),
        ("the tokens of a device", |s, twice| disorder(&mut s.registrations[0].tokens, twice)),
        ("subscriptions", |s, twice| disorder(&mut s.subscriptions, twice)),
        ("the sets of subscriptions", |s, twice| disorder(&mut s.token_subscriptions, twice)),
        ("the subscriptions of a token", |s, twice| {
            disorder(&mut s.token_subscriptions[0].1, twice);
        }),
        ("queues", |s, twice| disorder(&mut s.queue_subscriptions, twice)),
        ("the lists of notifications", |s, twice| disorder(&mut s.last_ntfs, twice)),
        ("services", |s, twice| disorder(&mut s.services, twice)),
    ];
    assert!(load(&framed(&two_of_each())).is_ok());
    for (name, damage) in lists {
        for (twice, semantics) in [false, true].into_iter().zip(BOTH_SEMANTICS) {
            let mut snapshot = two_of_each();
            damage(&mut snapshot, twice);
            let config = config(framed(&snapshot), NtfFileForm::Binary).semantics(semantics);
            match NtfStore::load(&config) {
                Err(NtfFileError::Disordered { list, .. }) => assert_eq!(list, name),
                other => panic!("{name}, twice: {twice}: {other:?}"),
            }
        }
    }
}

#[test]
fn violations_are_listed_up_to_the_bound_and_at_least_one() {
    let mut snapshot = two_of_each();
    snapshot.subscriptions.clear();
    for (bound, listed) in [(0, 1), (1, 1), (2, 2), (100, 6)] {
        let config = config(framed(&snapshot), NtfFileForm::Binary).max_warnings(bound);
        match NtfStore::load(&config) {
            Err(NtfFileError::Inconsistent { violations, total, .. }) => {
                assert_eq!((violations.len(), total), (listed, 6));
            }
            other => panic!("{other:?}"),
        }
    }
}
