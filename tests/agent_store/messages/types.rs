//! The types of messages as columns, and what `Debug` shows of them.

use simplex_stores::agent_store::types::{
    AgentMessage, MsgBody, MsgEncryptKey, MsgEncryptKeyParts, MsgHash,
};

use super::support::{agent_message, encrypt_key};
use crate::fixture::on_each;
use crate::types::{assert_column, assert_refused, bytes};

const PARTS: MsgEncryptKeyParts<'_> = MsgEncryptKeyParts {
    ratchet_version: 0x0103,
    associated_data: b"data",
    key: b"key",
    iv: b"",
    encrypted_header: b"header",
};
const STORED: &[u8] = b"\x01\x03\x04data\x03key\x00\x00\x06header";

#[test]
fn an_encryption_key_has_the_documented_form_and_no_other_is_read() {
    on_each(|test| {
        let key = MsgEncryptKey::new(PARTS).unwrap();
        assert_column(test, &key, &bytes(STORED));
        assert!(key.parts() == PARTS);
        for length in 0..STORED.len() {
            assert_refused::<MsgEncryptKey>(test, &[&&STORED[..length]]);
        }
        let longer = [STORED, b"!"].concat();
        assert_refused::<MsgEncryptKey>(test, &[&longer, &"text"]);
    });
}

#[test]
fn a_part_of_an_encryption_key_that_is_too_long_is_refused() {
    let (most, more) = ([0; 255], [0; 256]);
    let fits = MsgEncryptKeyParts { associated_data: &most, key: &most, iv: &most, ..PARTS };
    assert!(MsgEncryptKey::new(fits).unwrap().parts() == fits);
    let too_long = [
        MsgEncryptKeyParts { associated_data: &more, ..PARTS },
        MsgEncryptKeyParts { key: &more, ..PARTS },
        MsgEncryptKeyParts { iv: &more, ..PARTS },
        MsgEncryptKeyParts { encrypted_header: &[0; 65_536], ..PARTS },
    ];
    assert!(too_long.into_iter().all(|parts| MsgEncryptKey::new(parts).is_none()));
    let header = MsgEncryptKeyParts { encrypted_header: &[0; 65_535], ..PARTS };
    assert!(MsgEncryptKey::new(header).unwrap().parts() == header);
}

#[test]
fn bodies_and_hashes_are_kept_as_they_are() {
    on_each(|test| {
        for any in [&b""[..], b"\0\xff"] {
            assert_column(test, &MsgHash(any.to_vec()), &bytes(any));
            assert_column(test, &MsgBody(any.to_vec()), &bytes(any));
        }
        assert_column(test, &agent_message("\0"), &bytes(b"\0"));
        assert_refused::<AgentMessage>(test, &[&b"", &"text"]);
        assert_eq!(AgentMessage::new(Vec::new()), None);
    });
}

#[test]
fn neither_keys_nor_bodies_are_shown() {
    assert_eq!(format!("{:?}", encrypt_key()), "MsgEncryptKey(<secret>)");
    assert_eq!(format!("{PARTS:?}"), "MsgEncryptKeyParts(<secret>)");
    assert_eq!(format!("{:?}", MsgBody(vec![7; 3])), "MsgBody(<3 bytes>)");
    assert_eq!(format!("{:?}", agent_message("text")), "AgentMessage(<4 bytes>)");
    assert_eq!(format!("{:?}", MsgHash(vec![0; 3])), "MsgHash(AAAA)");
}
