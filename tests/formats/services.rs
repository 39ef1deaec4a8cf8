//! SE-43 to SE-48, SE-51, SE-58: services and their certificates.

use simplex_stores::encoding::base64url;
use simplex_stores::encoding::binary::WriteError;
use simplex_stores::encoding::certificate::is_certificate;
use simplex_stores::encoding::{Parser, binary};
use simplex_stores::protocol::{
    Blob, CertChain, CertFingerprint, RoundedDate, ServiceParty, ServiceRec, ServiceRole,
};

use crate::support::{
    CERT, CERT_2, CERT_HASH, DATE, ED25519, SERVICE, both_ways, hex, read, refuses, service,
};

fn der(text: &str) -> Vec<u8> {
    Parser::whole(text.as_bytes(), |parser| base64url::parse(parser, "bytes")).unwrap()
}

fn chain(certificates: &[&str]) -> CertChain {
    CertChain::new(certificates.iter().map(|text| Blob::from(der(text))).collect()).unwrap()
}

fn service_rec(cert_chain: CertChain) -> ServiceRec {
    ServiceRec {
        service_id: service(),
        role: ServiceRole::Messaging,
        cert_chain,
        cert_hash: read(CERT_HASH),
        created_at: RoundedDate::from_seconds(DATE),
    }
}

#[test]
fn se43_roles_both_ways() {
    both_ways(ServiceRole::Messaging, "M");
    both_ways(ServiceRole::Notifier, "N");
    both_ways(ServiceRole::Proxy, "P");
    for text in ["", "X", "m", "MM"] {
        assert!(refuses::<ServiceRole>(text), "{text:?}");
    }
}

#[test]
fn se44_chains_both_ways() {
    both_ways(chain(&[CERT]), CERT);
    both_ways(chain(&[CERT, CERT_2]), &format!("{CERT},{CERT_2}"));
    both_ways(chain(&[]), "");
    for text in [",".to_owned(), format!("{CERT},"), format!(",{CERT}"), format!("{CERT},AAAA")] {
        assert!(refuses::<CertChain>(&text), "{text:?}");
    }
}

#[test]
fn se44_what_is_no_certificate_is_refused() {
    let der = der(CERT);
    assert!(is_certificate(&der));
    for length in 0..der.len() {
        assert!(!is_certificate(&der[..length]), "the first {length} bytes");
    }
    assert!(!is_certificate(&[&der[..], &[0]].concat()));
    assert!(!is_certificate(&[&der[..], &der].concat()));
    for other in [ED25519, "AAAA", "MAA="] {
        assert!(!is_certificate(&self::der(other)), "{other}");
        assert!(refuses::<CertChain>(other), "{other}");
    }
}

#[test]
fn se44_outer_lengths_may_be_longer_than_needed_or_indefinite() {
    let der = der(CERT);
    // 30 81 c3 …: the content has 195 bytes.
    let content = &der[3..];
    assert_eq!(content.len(), 0xc3);
    for (what, bytes) in [
        ("two bytes", [&hex("308200c3")[..], content].concat()),
        ("nine bytes", [&hex("30890000000000000000c3")[..], content].concat()),
        ("indefinite", [&hex("3080")[..], content, &[0, 0]].concat()),
    ] {
        assert!(is_certificate(&bytes), "{what}");
        let text = base64url::to_string(&bytes);
        let chain: CertChain = read(&text);
        assert_eq!(chain.certificates()[0].as_bytes(), bytes, "{what}: kept as it came");
        both_ways(chain, &text);
    }
    for (what, bytes) in [
        ("no end mark", [&hex("3080")[..], content].concat()),
        ("half an end mark", [&hex("3080")[..], content, &[0]].concat()),
        ("something after it", [&hex("3080")[..], content, &[0, 0, 0]].concat()),
        ("a length past the end", [&hex("308200c4")[..], content].concat()),
        ("a length past any memory", [&hex("3088ffffffffffffffff")[..], content].concat()),
        ("a length that wraps around", [&hex("30890100000000000000c3")[..], content].concat()),
        ("a reserved length", [&hex("30ff")[..], content].concat()),
    ] {
        assert!(!is_certificate(&bytes), "{what}");
    }
}

/// The parts of the certificate's signed part, and what follows that: the algorithm and the signature.
fn parts(der: &[u8]) -> (Vec<Vec<u8>>, [Vec<u8>; 2]) {
    // The signed part is 30 77 and 119 bytes, from offset 3; the algorithm after it has seven bytes.
    let [mut left, rest] = [&der[5..5 + 0x77], &der[5 + 0x77..]];
    let mut parts = Vec::new();
    while let Some(&[_, length]) = left.first_chunk::<2>() {
        let (part, after) = left.split_at(2 + usize::from(length));
        parts.push(part.to_vec());
        left = after;
    }
    assert_eq!(parts.len(), 7);
    (parts, [rest[..7].to_vec(), rest[7..].to_vec()])
}

/// A sequence of elements.
fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    let content = elements.concat();
    [&[0x30, 0x82, 0, content.len() as u8], &content[..]].concat()
}

#[test]
fn se44_every_part_of_a_certificate_must_be_there() {
    let (parts, [algorithm, signature]) = parts(&der(CERT));
    let whole =
        |signed: &[Vec<u8>]| sequence(&[sequence(signed), algorithm.clone(), signature.clone()]);
    assert!(is_certificate(&whole(&parts)));
    for missing in 1..parts.len() {
        let mut without = parts.clone();
        without.remove(missing);
        assert!(!is_certificate(&whole(&without)), "without part {missing}");
    }
    let signed = sequence(&parts);
    assert!(!is_certificate(&sequence(&[signed.clone(), signature.clone()])), "no algorithm");
    assert!(!is_certificate(&sequence(&[signed, algorithm.clone()])), "no signature");
    assert!(is_certificate(&whole(&parts[1..])), "the version may be absent");
}

#[test]
fn se44_nothing_may_follow_the_last_part_of_a_part() {
    const NULL: [u8; 2] = [5, 0];
    let (parts, [algorithm, signature]) = parts(&der(CERT));
    let more = |part: &[u8]| {
        let content = [&part[2..], &NULL].concat();
        [&[part[0], content.len() as u8], &content[..]].concat()
    };
    let whole =
        |signed: &[Vec<u8>]| sequence(&[sequence(signed), algorithm.clone(), signature.clone()]);
    // Names and algorithms have parts that are not looked at.
    for (part, name) in [(0, "version"), (4, "validity"), (6, "public key")] {
        let mut with = parts.clone();
        with[part] = more(&with[part]);
        assert!(!is_certificate(&whole(&with)), "{name}");
    }
    let signed = [&parts[..], &[NULL.to_vec()]].concat();
    assert!(!is_certificate(&whole(&signed)), "signed part");
    let all = [sequence(&parts), algorithm.clone(), signature.clone(), NULL.to_vec()];
    assert!(!is_certificate(&sequence(&all)), "certificate");
}

#[test]
fn se44_an_indefinite_length_ends_at_its_mark_and_is_for_constructed_parts() {
    let (mut parts, [algorithm, signature]) = parts(&der(CERT));
    let empty_name = vec![0x30, 0];
    parts[5] = empty_name;
    let signed = [&[0x30, 0x80], &parts.concat()[..], &[0, 0]].concat();
    assert!(is_certificate(&sequence(&[signed.clone(), algorithm.clone(), signature])));
    let primitive = vec![0x03, 0x80, 0, 0];
    assert!(!is_certificate(&sequence(&[signed, algorithm, primitive])));
}

#[test]
fn se45_fingerprints_are_sha256_of_the_whole_certificate() {
    let fingerprint: CertFingerprint = read(CERT_HASH);
    assert_eq!(CertFingerprint::of_certificate(&der(CERT)), fingerprint);
    both_ways(fingerprint, CERT_HASH);
    assert_eq!(CertFingerprint::from_bytes(fingerprint.as_bytes()), Some(fingerprint));
    assert_eq!(CertFingerprint::from_bytes(&[0; 16]), None);
    assert!(refuses::<CertFingerprint>("AAAA"));
}

#[test]
fn se46_service_records_both_ways() {
    let text = |certs: &str| {
        format!(
            "service_id={SERVICE} role=M cert={certs} cert_hash={CERT_HASH} created_at=1735689600"
        )
    };
    both_ways(service_rec(chain(&[CERT])), &text(CERT));
    both_ways(service_rec(chain(&[CERT, CERT_2])), &text(&format!("{CERT},{CERT_2}")));
    both_ways(service_rec(chain(&[])), &text(""));
    for wrong in [
        text("").replace("cert= ", ""),
        text("").replace("role=M", "role=X"),
        text("").replace(" role", "  role"),
        text("AAAA"),
        text("").replace("=1735689600", "=x"),
        text("").replace("=1735689600", "=1735689600 "),
        text("").replace("role=M cert=", "cert= role=M"),
    ] {
        assert!(refuses::<ServiceRec>(&wrong), "{wrong:?}");
    }
}

#[test]
fn se47_parties_both_ways() {
    both_ways(ServiceParty::Receiver, "R");
    both_ways(ServiceParty::Notifier, "N");
    assert!(refuses::<ServiceParty>("X"));
    assert!(refuses::<ServiceParty>(""));
}

#[test]
fn se58_binary_chains_both_ways() {
    let one = chain(&[CERT]);
    let mut out = Vec::new();
    one.encode_binary(&mut out).unwrap();
    assert!(out.starts_with(&hex("0100c63081c33077")));
    assert_eq!(out.len(), 3 + 198);
    assert_eq!(CertChain::decode_binary(&out), Ok(one));
    let two = chain(&[CERT, CERT_2]);
    let mut out = Vec::new();
    two.encode_binary(&mut out).unwrap();
    assert_eq!(CertChain::decode_binary(&out), Ok(two));
    for wrong in [&[][..], &[0], &[1], &[1, 0], &[1, 0, 1, 0x30], &out[..out.len() - 1]] {
        assert!(CertChain::decode_binary(wrong).is_err());
    }
}

#[test]
fn se58_binary_writers_fail_on_what_does_not_fit() {
    let mut out = Vec::new();
    assert_eq!(chain(&[]).encode_binary(&mut out), Err(WriteError::Empty));
    let many = CertChain::new(vec![Blob::from(der(CERT)); 256]).unwrap();
    assert_eq!(many.encode_binary(&mut out), Err(WriteError::TooManyItems(256)));
    for (prefix, longest) in [(binary::LengthPrefix::One, 255), (binary::LengthPrefix::Two, 65_535)]
    {
        let item = vec![7; longest + 1];
        let mut write = |length: usize| {
            out.clear();
            let items = [&[1][..], &item[..length]];
            binary::write_list(items.into_iter(), prefix, &mut out).map(|()| out.len())
        };
        assert!(write(longest).is_ok());
        let error = write(longest + 1).unwrap_err();
        assert!(matches!(error, WriteError::ItemTooLong { length, .. } if length == longest + 1));
        assert!(out.is_empty(), "nothing is written before the lengths are known to fit");
    }
}
