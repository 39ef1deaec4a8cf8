//! The fuzzer's entry points, run on a bounded number of inputs: valid lines, columns and keys
//! with seeded damage. `SIMPLEX_STORES_FUZZ_INPUTS` sets how many; millions want `--release`.

use quickcheck::{Arbitrary, Gen};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use simplex_stores::encoding::timestamp;
use simplex_stores::protocol::ntf::{
    PendingNtfRecord, SubscriptionRec, TokenNtfRecord, TokenNtfs, TokenRec,
};
use simplex_stores::protocol::{
    AuthKey, CertChain, EntityId, EntityStatus, ErrorType, LinkData, NtfCreds, QueueRec,
    RecipientKeys, RoundedDate, ServiceRec, TextEncode,
};
use simplex_stores::store_log::LogRecord;
use simplex_stores::testing::Certificate;
use simplex_stores::testing::fuzz::TARGETS;
use simplex_stores::testing::mutate::mutate;

use crate::campaign;

const SEED: u64 = 0x5151_2026;

/// A valid input for one target or another; the same generator makes the same.
fn valid(g: &mut Gen) -> Vec<u8> {
    let mut out = Vec::new();
    match u8::arbitrary(g) % 25 {
        0 => EntityId::arbitrary(g).encode_text(&mut out),
        1 => AuthKey::arbitrary(g).encode_text(&mut out),
        2 => RecipientKeys::arbitrary(g).encode_text(&mut out),
        3 => LinkData::arbitrary(g).encode_text(&mut out),
        4 => NtfCreds::arbitrary(g).encode_text(&mut out),
        5 => EntityStatus::arbitrary(g).encode_text(&mut out),
        6 => QueueRec::arbitrary(g).encode_text(&mut out),
        7 => ServiceRec::arbitrary(g).encode_text(&mut out),
        8 => RoundedDate::arbitrary(g).encode_text(&mut out),
        9 => ErrorType::arbitrary(g).encode_text(&mut out),
        10 => out = AuthKey::arbitrary(g).to_der(),
        11 => out = Certificate::arbitrary(g).0,
        12 => RecipientKeys::arbitrary(g).encode_binary(&mut out).unwrap(),
        13 => drop(CertChain::arbitrary(g).encode_binary(&mut out)),
        14 => {
            let moment = (i64::from(i32::arbitrary(g)), u32::arbitrary(g) % 1_000_000_000);
            out = timestamp::format(moment.0, moment.1).unwrap().into_bytes();
        }
        15 => TokenRec::arbitrary(g).encode_text(&mut out),
        16 => SubscriptionRec::arbitrary(g).encode_text(&mut out),
        17 => TokenNtfs::arbitrary(g).encode_text(&mut out),
        18 => TokenNtfRecord::arbitrary(g).encode_text(&mut out),
        19 => PendingNtfRecord::arbitrary(g).encode_text(&mut out),
        _ => LogRecord::arbitrary(g).encode(&mut out),
    }
    out
}

#[test]
fn every_entry_point_stands_damaged_input() {
    let mut g = Gen::from_size_and_seed(30, SEED);
    let corpus: Vec<Vec<u8>> = (0..500).map(|_| valid(&mut g)).collect();
    campaign::run(campaign::inputs(campaign::FUZZ_INPUTS, 20_000), move |piece, count| {
        let mut rng = StdRng::seed_from_u64(SEED + piece);
        for _ in 0..count {
            let [mut input, other] =
                [(); 2].map(|()| corpus[rng.random_range(0..corpus.len())].clone());
            mutate(&mut rng, &mut input, &other);
            for (_, target) in TARGETS {
                target(&input);
            }
        }
    });
}

#[test]
fn every_entry_point_takes_valid_input() {
    let mut g = Gen::from_size_and_seed(30, SEED);
    for _ in 0..1_000 {
        let input = valid(&mut g);
        for (_, target) in TARGETS {
            target(&input);
        }
    }
}

/// Input over which a reader that goes back or looks ahead without end, or that nests without
/// bound, would not come to an end in any time that a test run has.
#[test]
fn long_and_repetitive_input_is_read_in_one_pass() {
    const LENGTH: usize = 1 << 17;
    let pieces: [&[u8]; 12] =
        [b"A", b"=", b",", b" ", b"9", b"0", b"\x30\x80", b"[", b"{\"a\":", b"AAAA,", b"a,", b"::"];
    let starts: [&[u8]; 9] = [
        b"",
        b"SUSPEND ",
        b"KEYS AAAA ",
        b"TIME AAAA ",
        b"BLOCK AAAA reason=spam,notice=",
        b"NEW_SERVICE service_id=AAAA role=M cert=",
        b"tknId=AAAA token=apns_prod ",
        b"v1 AAAA AAAA 0 ",
        b"smp://CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=@",
    ];
    for piece in pieces {
        for start in starts {
            let mut input = start.to_vec();
            input.extend(piece.iter().cycle().take(LENGTH));
            for (_, target) in TARGETS {
                target(&input);
            }
        }
    }
}
