//! Statistics of routers (section 3.14): what an agent counted with each, for each of its users.
//!
//! They are kept as one JSON object. Counters that came later than the others may be missing in it, and
//! the map of notification routers too; everything else has to be there. What has other names is passed
//! over.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

use super::{Ntf, Protocol, Server, Smp, UserId, Xftp};
use crate::db::{Cell, FromCell, Unreadable};

/// Counters of routers of one protocol, for each user that uses one.
pub type ServersStats<P, C> = BTreeMap<(UserId, Server<P>), C>;

/// Everything that is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentServersStats {
    /// With message routers.
    #[serde(rename = "smpServersStats", with = "pairs")]
    pub smp: ServersStats<Smp, SmpServerStats>,
    /// With file routers.
    #[serde(rename = "xftpServersStats", with = "pairs")]
    pub xftp: ServersStats<Xftp, XftpServerStats>,
    /// With notification routers.
    #[serde(rename = "ntfServersStats", with = "pairs", default)]
    pub ntf: ServersStats<Ntf, NtfServerStats>,
}

/// Counters, each with its name in JSON; those after a semicolon may be missing there, and are zero then.
macro_rules! counters {
    (
        $(#[$doc:meta])*
        $name:ident {
            $($field:ident = $json:literal: $meaning:literal,)*
            $(; $($later:ident = $later_json:literal: $later_meaning:literal,)*)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub struct $name {
            $(
                #[doc = $meaning]
                #[serde(rename = $json)]
                pub $field: i64,
            )*
            $($(
                #[doc = $later_meaning]
                #[serde(rename = $later_json, default)]
                pub $later: i64,
            )*)?
        }
    };
}

counters! {
    /// What is counted with a message router.
    SmpServerStats {
        sent_direct = "_sentDirect": "Messages sent to the router itself.",
        sent_via_proxy = "_sentViaProxy": "Messages sent through this router to another.",
        sent_proxied = "_sentProxied": "Messages sent to this router through another.",
        sent_direct_attempts = "_sentDirectAttempts": "Attempts at sending to it directly.",
        sent_via_proxy_attempts = "_sentViaProxyAttempts": "Attempts at sending through it.",
        sent_proxied_attempts = "_sentProxiedAttempts": "Attempts at sending to it through another.",
        sent_auth_errs = "_sentAuthErrs": "Messages that it refused to authorize.",
        sent_quota_errs = "_sentQuotaErrs": "Messages for which a queue was full.",
        sent_expired_errs = "_sentExpiredErrs": "Messages that could not be sent in time.",
        sent_other_errs = "_sentOtherErrs": "Messages that failed for other reasons.",
        recv_msgs = "_recvMsgs": "Messages received.",
        recv_duplicates = "_recvDuplicates": "Messages received once more.",
        recv_crypto_errs = "_recvCryptoErrs": "Messages that could not be decrypted.",
        recv_errs = "_recvErrs": "Messages received with other errors.",
        ack_msgs = "_ackMsgs": "Messages acknowledged.",
        ack_attempts = "_ackAttempts": "Attempts at acknowledging.",
        ack_no_msg_errs = "_ackNoMsgErrs": "Acknowledgements of what was no longer there.",
        ack_other_errs = "_ackOtherErrs": "Acknowledgements that failed for other reasons.",
        conn_created = "_connCreated": "Connections created.",
        conn_secured = "_connSecured": "Connections secured.",
        conn_completed = "_connCompleted": "Connections completed.",
        conn_deleted = "_connDeleted": "Connections deleted.",
        conn_del_attempts = "_connDelAttempts": "Attempts at deleting a connection.",
        conn_del_errs = "_connDelErrs": "Connections that could not be deleted.",
        conn_subscribed = "_connSubscribed": "Connections subscribed to.",
        conn_sub_attempts = "_connSubAttempts": "Attempts at subscribing.",
        conn_sub_ignored = "_connSubIgnored": "Subscriptions that were given up before an answer.",
        conn_sub_errs = "_connSubErrs": "Subscriptions that failed.",
        ;
        ntf_key = "_ntfKey": "Notifiers created.",
        ntf_key_attempts = "_ntfKeyAttempts": "Attempts at creating a notifier.",
        ntf_key_deleted = "_ntfKeyDeleted": "Notifiers deleted.",
        ntf_key_delete_attempts = "_ntfKeyDeleteAttempts": "Attempts at deleting a notifier.",
    }
}

counters! {
    /// What is counted with a file router.
    XftpServerStats {
        uploads = "_uploads": "Replicas uploaded.",
        uploads_size = "_uploadsSize": "Their size, in KB.",
        upload_attempts = "_uploadAttempts": "Attempts at uploading.",
        upload_errs = "_uploadErrs": "Uploads that failed.",
        downloads = "_downloads": "Replicas downloaded.",
        downloads_size = "_downloadsSize": "Their size, in KB.",
        download_attempts = "_downloadAttempts": "Attempts at downloading.",
        download_auth_errs = "_downloadAuthErrs": "Downloads that the router refused to authorize.",
        download_errs = "_downloadErrs": "Downloads that failed for other reasons.",
        deletions = "_deletions": "Replicas deleted.",
        delete_attempts = "_deleteAttempts": "Attempts at deleting.",
        delete_errs = "_deleteErrs": "Deletions that failed.",
    }
}

counters! {
    /// What is counted with a notification router.
    NtfServerStats {
        ntf_created = "_ntfCreated": "Subscriptions created.",
        ntf_create_attempts = "_ntfCreateAttempts": "Attempts at creating one.",
        ntf_checked = "_ntfChecked": "Subscriptions checked.",
        ntf_check_attempts = "_ntfCheckAttempts": "Attempts at checking one.",
        ntf_deleted = "_ntfDeleted": "Subscriptions deleted.",
        ntf_del_attempts = "_ntfDelAttempts": "Attempts at deleting one.",
    }
}

/// The text that the database keeps. What is wrong with it is told by its place, never by its words.
impl FromCell<'_> for AgentServersStats {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        serde_json::from_str(<&str>::from_cell(cell)?).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let place = format_args!("line {line}, column {column}");
            Unreadable::expected(format_args!("statistics in JSON: {place}"))
        })
    }
}

impl AgentServersStats {
    /// The text that the database keeps; `None` when a router has no URI that could be read again.
    pub(in crate::agent_store) fn to_json(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

/// A map as an array of pairs: the key, which is an array of a user's number and a router's URI, and the
/// counters. Of several with the same key, the last counts.
mod pairs {
    use super::*;

    pub(super) fn serialize<P: Protocol, C: Serialize, S: Serializer>(
        stats: &ServersStats<P, C>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(Some(stats.len()))?;
        for ((user, server), counters) in stats {
            let uri = server.to_string();
            if Server::<P>::from_uri(&uri).as_ref() != Some(server) {
                return Err(S::Error::custom("a router without a URI"));
            }
            array.serialize_element(&((user.0, uri), counters))?;
        }
        array.end()
    }

    pub(super) fn deserialize<'de, P: Protocol, C: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<ServersStats<P, C>, D::Error> {
        deserializer.deserialize_seq(Pairs(PhantomData))
    }

    struct Pairs<P, C>(PhantomData<(P, C)>);

    impl<'de, P: Protocol, C: Deserialize<'de>> Visitor<'de> for Pairs<P, C> {
        type Value = ServersStats<P, C>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of pairs")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
            let mut stats = BTreeMap::new();
            while let Some(((user, uri), counters)) = array.next_element::<((i64, String), C)>()? {
                let server = Server::from_uri(&uri);
                let server = server.ok_or_else(|| A::Error::custom("not a router's URI"))?;
                stats.insert((UserId(user), server), counters);
            }
            Ok(stats)
        }
    }
}
