//! What counts as a certificate in a stored chain (SE-44).
//!
//! The stores keep certificates exactly as they came and never use what is in them, so this is a
//! check of structure, not of validity: the bytes must be one X.509 certificate with every part
//! in its place, nothing cut off and nothing after it. Lengths may be written in more bytes than
//! needed or be indefinite, as the reference reads them (BER); what stands inside names, keys and
//! extensions is not looked at.
//!
//! The time is linear in the input: the parts are nested four deep at most, and what is inside an
//! indefinite length is scanned once for each of them.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The version, which wraps its integer.
const VERSION: u8 = 0xa0;
/// Unique identifiers of issuer and subject, primitive and as they may be constructed.
const UNIQUE_IDS: [u8; 4] = [0x81, 0xa1, 0x82, 0xa2];
const EXTENSIONS: u8 = 0xa3;

/// Whether `bytes` are one certificate by structure (SE-44).
pub fn is_certificate(bytes: &[u8]) -> bool {
    Elements(bytes).certificate().is_some()
}

/// Whether `bytes` are one private key in PKCS#8 by structure, of any algorithm; what may come after the
/// key itself, attributes and the public key, is not looked at.
pub fn is_private_key(bytes: &[u8]) -> bool {
    Elements(bytes).private_key().is_some()
}

/// Elements in a row, not read yet.
#[derive(Clone, Copy)]
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// One certificate and nothing after it.
    fn certificate(mut self) -> Option<()> {
        let mut certificate = self.take(SEQUENCE)?;
        certificate.take(SEQUENCE)?.signed_part()?;
        certificate.algorithm()?;
        certificate.take(BIT_STRING)?;
        certificate.end()?;
        self.end()
    }

    /// One private key and nothing after it.
    fn private_key(mut self) -> Option<()> {
        let mut key = self.take(SEQUENCE)?;
        key.take(INTEGER)?; // version
        key.algorithm()?;
        key.take(OCTET_STRING)?;
        self.end()
    }

    /// The part that the signature covers.
    fn signed_part(mut self) -> Option<()> {
        if let Some(mut version) = self.take(VERSION) {
            version.take(INTEGER)?;
            version.end()?;
        }
        self.take(INTEGER)?; // serial number
        self.algorithm()?;
        self.take(SEQUENCE)?; // issuer
        self.take(SEQUENCE)?.validity()?;
        self.take(SEQUENCE)?; // subject
        self.take(SEQUENCE)?.public_key()?;
        for tag in UNIQUE_IDS {
            self.take(tag);
        }
        self.take(EXTENSIONS);
        self.end()
    }

    /// An algorithm: its object identifier, then any parameters.
    fn algorithm(&mut self) -> Option<()> {
        self.take(SEQUENCE)?.take(OBJECT_ID).map(drop)
    }

    /// From when to when.
    fn validity(mut self) -> Option<()> {
        for _ in 0..2 {
            self.take(UTC_TIME).or_else(|| self.take(GENERALIZED_TIME))?;
        }
        self.end()
    }

    fn public_key(mut self) -> Option<()> {
        self.algorithm()?;
        self.take(BIT_STRING)?;
        self.end()
    }

    fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    /// Steps over the next element when it has this tag and is whole; yields what is inside.
    fn take(&mut self, tag: u8) -> Option<Self> {
        let header = Header::read(self.0).filter(|header| header.tag == tag)?;
        let (content, rest) = match header.length {
            Some(length) => header.rest.split_at_checked(length)?,
            None => split_indefinite(header.rest)?,
        };
        self.0 = rest;
        Some(Self(content))
    }
}

/// The start of an element and everything after it.
struct Header<'a> {
    tag: u8,
    /// `None` when the content ends at an end mark.
    length: Option<usize>,
    rest: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(input: &'a [u8]) -> Option<Self> {
        let (&tag, mut rest) = input.split_first()?;
        if tag & 0x1f == 0x1f {
            // A tag number of several bytes, each but the last with its high bit set.
            let last = rest.iter().position(|byte| byte & 0x80 == 0)?;
            rest = rest.get(last + 1..)?;
        }
        let (&first, mut rest) = rest.split_first()?;
        let length = match first {
            0x00..=0x7f => Some(usize::from(first)),
            0x80 if tag & 0x20 != 0 => None,
            0x81..=0xfe => {
                let bytes;
                (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                Some(bytes.iter().try_fold(0usize, |length, &byte| {
                    Some(length.checked_mul(256)? | usize::from(byte))
                })?)
            }
            _ => return None,
        };
        Some(Self { tag, length, rest })
    }
}

/// Splits what follows an indefinite length at its end mark, which belongs to neither half.
fn split_indefinite(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = content;
    let mut open = 1usize;
    loop {
        let header = Header::read(rest)?;
        match header.length {
            None => open += 1,
            Some(0) if header.tag == 0 => open -= 1,
            Some(length) => {
                rest = header.rest.get(length..)?;
                continue;
            }
        }
        if open == 0 {
            let length = content.len() - rest.len();
            return Some((content.get(..length)?, header.rest));
        }
        rest = header.rest;
    }
}
