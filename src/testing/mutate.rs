//! Small damage to valid input: what a torn write, a flipped bit or a curious person does to a
//! line.

use rand::{Rng, RngExt};

/// Pieces that mean something to some reader, so that damage often still looks right.
const PIECES: [&[u8]; 24] = [
    b" ",
    b"  ",
    b",",
    b"=",
    b"==",
    b"\n",
    b"\r",
    b"-",
    b"+",
    b"0",
    b"A",
    b"AA==",
    b" rsrv=AAAA",
    b" nsrv=AAAA",
    b" sndSecure=T",
    b" queue_mode=C",
    b" status=off",
    b" status=blocked,reason=spam",
    b",notice={\"ttl\":1}",
    b",notice={}",
    b" link_id=AAAA queue_data= ",
    b"99999999999999999999",
    b"\xff",
    b"\x00",
];

/// Damages `input` in place, in one to four places. `other` is a second valid input, of which a
/// piece may be taken over. The same `rng` state does the same damage.
pub fn mutate(rng: &mut impl Rng, input: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.random_range(1..=4) {
        mutate_once(rng, input, other);
    }
}

fn mutate_once(rng: &mut impl Rng, input: &mut Vec<u8>, other: &[u8]) {
    let at = rng.random_range(0..=input.len());
    let until = rng.random_range(at..=input.len().min(at + 16));
    match rng.random_range(0..8) {
        0 => input.truncate(at),
        1 => drop(input.drain(at..until)),
        2 => {
            let piece = PIECES.get(rng.random_range(0..PIECES.len())).copied().unwrap_or_default();
            input.splice(at..at, piece.iter().copied());
        }
        3 => {
            let piece = PIECES.get(rng.random_range(0..PIECES.len())).copied().unwrap_or_default();
            input.splice(at..until, piece.iter().copied());
        }
        4 => {
            let copy = input.get(at..until).unwrap_or_default().to_vec();
            input.splice(at..at, copy);
        }
        5 => {
            let start = rng.random_range(0..=other.len());
            let end = rng.random_range(start..=other.len().min(start + 100));
            input.splice(at..until, other.get(start..end).unwrap_or_default().iter().copied());
        }
        6 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << rng.random_range(0..8);
            }
        }
        _ => {
            if let Some(byte) = input.get_mut(at) {
                *byte = rng.random();
            }
        }
    }
}
