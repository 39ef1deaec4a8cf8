//! SE-21 to SE-33 and SE-55 to SE-57: public keys, private keys' DER, shared secrets.

use simplex_stores::encoding::base64url;
use simplex_stores::encoding::binary::WriteError;
use simplex_stores::encoding::der::{self, KeyAlgorithm};
use simplex_stores::encoding::{ParseResult, Parser, list};
use simplex_stores::protocol::{AuthKey, DhSecret, RecipientKeys};

use crate::support::{
    ED448, ED25519, ED25519_2, NDH, RDH, X448, X25519, both_ways, hex, read, refuses, write,
};

fn bytes(text: &str) -> Vec<u8> {
    let parsed: ParseResult<Vec<u8>> =
        Parser::whole(text.as_bytes(), |parser| base64url::parse(parser, "bytes"));
    parsed.unwrap()
}

/// The text of a key with this DER.
fn text(der: &[u8]) -> String {
    base64url::to_string(der)
}

#[test]
fn se21_se24_public_keys_have_their_prefix_size_and_text_length() {
    for (algorithm, vector, prefix, key, size, length) in [
        (KeyAlgorithm::X25519, X25519, "302a300506032b656e032100", 32, 44, 60),
        (KeyAlgorithm::X448, X448, "3042300506032b656f033900", 56, 68, 92),
        (KeyAlgorithm::Ed25519, ED25519, "302a300506032b6570032100", 32, 44, 60),
        (KeyAlgorithm::Ed448, ED448, "3043300506032b6571033a00", 57, 69, 92),
    ] {
        let der = bytes(vector);
        assert_eq!((der.len(), vector.len()), (size, length));
        assert_eq!(algorithm.public_prefix(), hex(prefix).as_slice());
        assert_eq!(der::parse_public(&der), Some((algorithm, &der[12..])));
        assert_eq!(der::parse_public(&der[..size - 1]), None);
        assert_eq!(der::parse_public(&[&der[..], &[0]].concat()), None);
        assert_eq!(algorithm.key_length(), key);
    }
}

#[test]
fn se25_se28_private_keys_have_their_prefix_and_size() {
    for (algorithm, prefix, size) in [
        (KeyAlgorithm::X25519, "302e020100300506032b656e04220420", 48),
        (KeyAlgorithm::X448, "3046020100300506032b656f043a0438", 72),
        (KeyAlgorithm::Ed25519, "302e020100300506032b657004220420", 48),
        (KeyAlgorithm::Ed448, "3047020100300506032b6571043b0439", 73),
    ] {
        let key = vec![4; algorithm.key_length()];
        let der = [hex(prefix), key.clone()].concat();
        assert_eq!(der.len(), size);
        assert_eq!(algorithm.private_prefix(), hex(prefix).as_slice());
        assert_eq!(der::parse_private(&der), Some((algorithm, &key[..])));
        assert_eq!(der::parse_private(&der[..size - 1]), None);
        assert_eq!(der::parse_private(&[&der[..], &[0]].concat()), None);
        assert_eq!(der::parse_public(&der), None);
    }
    let vector = bytes("MC4CAQAwBQYDK2VuBCIEIAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE");
    assert_eq!(der::parse_private(&vector), Some((KeyAlgorithm::X25519, &[4; 32][..])));
}

#[test]
fn se29_authorization_keys_are_of_three_algorithms() {
    for vector in [ED25519, ED448, X25519] {
        let key: AuthKey = read(vector);
        assert_eq!(write(&key), vector);
        assert_eq!(format!("{key:?}"), vector);
    }
    assert_eq!(read::<AuthKey>(ED448).algorithm(), KeyAlgorithm::Ed448);
    assert!(refuses::<AuthKey>(X448));
}

#[test]
fn se30_bytes_that_are_no_point_are_kept() {
    for (prefix, byte) in
        [(KeyAlgorithm::Ed25519, 0xff), (KeyAlgorithm::Ed25519, 0x02), (KeyAlgorithm::X25519, 0)]
    {
        let vector = text(&[&prefix.public_prefix()[..], &[byte; 32]].concat());
        let key: AuthKey = read(&vector);
        assert_eq!(key.key_bytes(), [byte; 32]);
        assert_eq!(write(&key), vector);
    }
}

#[test]
fn se31_malformed_der_is_refused() {
    let der = bytes(ED25519);
    let key = &der[12..];
    let two = [&der[..], &der].concat();
    for (what, der) in [
        ("a NULL as parameters", [&hex("302c300706032b65700500032100")[..], key].concat()),
        ("truncated", der[..43].to_vec()),
        ("a trailing byte", [&der[..], &[0]].concat()),
        ("a second key", two),
        ("an unknown algorithm", [&hex("302a300506032b6572032100")[..], key].concat()),
        ("a key that is too short", [&hex("3029300506032b6570032000")[..], &key[1..]].concat()),
        ("unused bits", [&hex("302a300506032b6570032101")[..], key].concat()),
        ("a length in two bytes", [&hex("30812a300506032b6570032100")[..], key].concat()),
        ("an indefinite length", [&hex("3080300506032b6570032100")[..], key, &[0, 0]].concat()),
        ("nothing but a prefix", der[..12].to_vec()),
    ] {
        assert!(refuses::<AuthKey>(&text(&der)), "{what}");
        assert_eq!(AuthKey::from_der(&der), None, "{what}");
    }
}

#[test]
fn se32_key_lists_keep_order_and_repetitions() {
    let [first, second] = [ED25519, ED25519_2].map(read::<AuthKey>);
    both_ways(
        RecipientKeys::new([first.clone(), second.clone()]).unwrap(),
        &format!("{ED25519},{ED25519_2}"),
    );
    both_ways(
        RecipientKeys::new([second.clone(), first.clone(), second]).unwrap(),
        &format!("{ED25519_2},{ED25519},{ED25519_2}"),
    );
    both_ways(RecipientKeys::one(first), ED25519);
}

#[test]
fn se18_key_lists_without_items_are_refused() {
    for text in [
        String::new(),
        ",".into(),
        format!("{ED25519},"),
        format!(",{ED25519}"),
        format!("{ED25519},,{ED25519}"),
        format!("{ED25519}, {ED25519}"),
        format!("{ED25519};{ED25519}"),
        format!("{ED25519},{X448}"),
    ] {
        assert!(refuses::<RecipientKeys>(&text), "{text:?}");
    }
    assert!(RecipientKeys::new([]).is_none());
}

#[test]
fn se18_an_item_is_read_as_a_whole() {
    let letter = |parser: &mut Parser<'_>| parser.byte("a letter");
    let whole = |text: &str| {
        let mut letters = Vec::new();
        let mut parser = Parser::new(text.as_bytes());
        list::parse_each(&mut parser, letter, |letter| letters.push(letter)).map(|()| letters)
    };
    assert_eq!(whole("a,b"), Ok(b"ab".to_vec()));
    let error = whole("a,bc").unwrap_err();
    assert_eq!((error.offset, error.expected), (3, "a comma or the end of the list"));
}

#[test]
fn se33_shared_secrets_have_32_bytes() {
    for vector in [RDH, NDH] {
        let secret: DhSecret = read(vector);
        assert_eq!(write(&secret), vector);
        assert_eq!(DhSecret::from_bytes(secret.as_bytes()), Some(secret));
    }
    assert_eq!(read::<DhSecret>(&text(&[0; 32])), DhSecret::new([0; 32]));
    for length in [1, 31, 33, 44, 56] {
        assert!(refuses::<DhSecret>(&text(&vec![1; length])), "{length} bytes");
        assert_eq!(DhSecret::from_bytes(&vec![1; length]), None);
    }
}

#[test]
fn race17_secrets_never_show() {
    let secret: DhSecret = read(RDH);
    assert_eq!(format!("{secret:?}"), "<secret>");
}

#[test]
fn se55_se56_the_binary_list_both_ways() {
    let vector = hex(concat!(
        "022c302a300506032b65700321008a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "2c302a300506032b65700321008139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"
    ));
    let keys: RecipientKeys = read(&format!("{ED25519},{ED25519_2}"));
    let mut out = Vec::new();
    keys.encode_binary(&mut out).unwrap();
    assert_eq!(out, vector);
    assert_eq!(RecipientKeys::decode_binary(&vector), Ok(keys));
    let key: AuthKey = read(ED25519);
    assert_eq!(key.to_der(), &vector[2..46]);
    assert_eq!(AuthKey::from_der(&vector[2..46]), Some(key));
}

#[test]
fn se56_binary_lists_that_are_wrong_are_refused() {
    let good = hex(
        "012c302a300506032b65700321008a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
    );
    assert!(RecipientKeys::decode_binary(&good).is_ok());
    let refused = |column: &[u8]| RecipientKeys::decode_binary(column).is_err();
    assert!(refused(&[]));
    assert!(refused(&[0]));
    assert!(refused(&[1]));
    assert!(refused(&good[..good.len() - 1]));
    assert!(refused(&[&good[..], &[0]].concat()));
    assert!(refused(&[&[2], &good[1..]].concat()));
    assert!(refused(&[&[255], &good[1..]].concat()));
    assert!(refused(&[1, 0]));
}

#[test]
fn se56_more_keys_than_a_byte_counts_are_not_written() {
    let key: AuthKey = read(ED25519);
    let most = RecipientKeys::new(vec![key.clone(); 255]).unwrap();
    let mut out = Vec::new();
    most.encode_binary(&mut out).unwrap();
    assert_eq!(RecipientKeys::decode_binary(&out), Ok(most));
    let more = RecipientKeys::new(vec![key; 256]).unwrap();
    let mut out = b"before".to_vec();
    assert_eq!(more.encode_binary(&mut out), Err(WriteError::TooManyItems(256)));
    assert_eq!(out, b"before");
}
