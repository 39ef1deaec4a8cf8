//! Where pushes go: a provider, and the device's token with it (NE-1, NE-2).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::encoding::binary::ReadError;
use crate::encoding::{ParseResult, Parser};
use crate::protocol::{Semantics, TextDecode, TextEncode};

/// A service that pushes to devices (NE-1), in the order in which device tokens sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PushProvider {
    /// `apns_dev`
    ApnsDev,
    /// `apns_prod`
    ApnsProd,
    /// `apns_test`
    ApnsTest,
    /// `apns_null`: pushes nothing.
    ApnsNull,
}

impl PushProvider {
    /// Every provider, in order.
    pub const ALL: [Self; 4] = [Self::ApnsDev, Self::ApnsProd, Self::ApnsTest, Self::ApnsNull];

    /// The text form (NE-1).
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApnsDev => "apns_dev",
            Self::ApnsProd => "apns_prod",
            Self::ApnsTest => "apns_test",
            Self::ApnsNull => "apns_null",
        }
    }

    /// The binary form: two letters (NE-1).
    pub const fn binary(self) -> &'static [u8; 2] {
        match self {
            Self::ApnsDev => b"AD",
            Self::ApnsProd => b"AP",
            Self::ApnsTest => b"AT",
            Self::ApnsNull => b"AN",
        }
    }

    /// Appends the binary form (NE-1).
    pub fn encode_binary(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.binary());
    }

    /// Reads the binary form from the whole of `letters`; fails for any other letters, and for
    /// more or fewer than two (NE-1).
    pub fn decode_binary(letters: &[u8]) -> Result<Self, ReadError> {
        let provider = Self::ALL.into_iter().find(|provider| provider.binary() == letters);
        provider.ok_or(ReadError { offset: 0, expected: "AD, AP, AT or AN" })
    }
}

/// The text of the one device token that is not hexadecimal; only for [`PushProvider::ApnsNull`].
const TEST_TOKEN: &str = "test_ntf_token";

/// A device as its push provider knows it (NE-2); ordered by provider, then text. `Debug` shows
/// only the provider: whoever knows a device token can push to the device.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceToken {
    provider: PushProvider,
    text: Arc<str>,
}

impl DeviceToken {
    /// The token with this text, whatever it is: writing does not check it, reading does (NE-2).
    /// A record with a token that [`DeviceToken::is_readable`] denies can be written and not read.
    pub fn new(provider: PushProvider, text: &str) -> Self {
        Self { provider, text: text.into() }
    }

    /// Its provider.
    pub fn provider(&self) -> PushProvider {
        self.provider
    }

    /// Its text: lower-case hex digits, if it was read from a record.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the token can be read from the text that is written for it (NE-2): an even number
    /// of lower-case hex digits, possibly none, or the test token of [`PushProvider::ApnsNull`].
    pub fn is_readable(&self) -> bool {
        let hex = self.text.len().is_multiple_of(2) && self.text.bytes().all(is_lower_hex);
        hex || (self.provider == PushProvider::ApnsNull && &*self.text == TEST_TOKEN)
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<device token of {:?}>", self.provider)
    }
}

impl TextEncode for PushProvider {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.name().as_bytes());
    }
}

impl TextDecode for PushProvider {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        let provider =
            Self::ALL.into_iter().find(|provider| parser.skip(provider.name().as_bytes()));
        provider.ok_or_else(|| parser.error("a push provider"))
    }
}

impl TextEncode for DeviceToken {
    fn encode_text(&self, out: &mut Vec<u8>) {
        self.provider.encode_text(out);
        out.push(b' ');
        out.extend_from_slice(self.text.as_bytes());
    }
}

impl TextDecode for DeviceToken {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let provider = PushProvider::decode_text(parser, semantics)?;
        parser.space()?;
        if provider == PushProvider::ApnsNull && parser.skip(TEST_TOKEN.as_bytes()) {
            return Ok(Self::new(provider, TEST_TOKEN));
        }
        let start = parser.clone();
        let digits = parser.take_while(is_lower_hex);
        if !digits.len().is_multiple_of(2) {
            return Err(start.error("an even number of lower-case hex digits"));
        }
        Ok(Self::new(provider, std::str::from_utf8(digits).unwrap_or_default()))
    }
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}
