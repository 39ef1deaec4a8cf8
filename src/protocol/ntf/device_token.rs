//! Where pushes go: a provider, and the device's token with it (NE-1, NE-2).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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

/// A device as its push provider knows it (NE-2); ordered by provider, then text. `Debug` shows
/// only the provider: whoever knows a device token can push to the device.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceToken {
    provider: PushProvider,
    text: Arc<str>,
}

impl DeviceToken {
    /// The token with this text, whatever it is: writing does not check it, reading does (NE-2).
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
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<device token of {:?}>", self.provider)
    }
}
