//! What may read a whole table, or sort, and why: the schema is shared with the reference, so there is no index
//! that it hasn't.

use super::plan::Cost::{self, Scan, Sort};

/// Statements that may, on either database.
pub(super) struct Permitted {
    pub(super) cost: Cost,
    pub(super) statements: &'static [&'static str],
    #[allow(dead_code, reason = "for readers")]
    reason: &'static str,
}

pub(super) const PERMITTED: &[Permitted] = &[
    Permitted {
        cost: Scan("users"),
        statements: &[
            "list users",
            "lock users to delete them",
            "delete users without connections",
        ],
        reason: "what is asked for is nearly the table; it has a few rows",
    },
    Permitted {
        cost: Scan("connections"),
        statements: &["list connections"],
        reason: "what is asked for is nearly the table",
    },
    Permitted {
        cost: Scan("connections"),
        statements: &["list deleted connections", "list connections that wait for deliveries"],
        reason: "no index on the marks; asked when an agent starts and cleans up",
    },
    Permitted {
        cost: Scan("rcv_queues"),
        statements: &["list routers to subscribe on"],
        reason: "made of all queues; asked when an agent starts",
    },
    Permitted {
        cost: Scan("rcv_queues"),
        statements: &["lock a user's queues of services", "take a user's queues from its services"],
        reason: "a user has a good part of all queues",
    },
    Permitted {
        cost: Scan("snd_message_deliveries"),
        statements: &[
            "list connections with messages to deliver",
            "list queues with messages to deliver",
        ],
        reason: "only the first row is read: from there it goes from one connection to the next",
    },
    Permitted {
        cost: Scan("snd_message_bodies"),
        statements: &["look for message bodies that nothing refers to"],
        reason: "which are unused is known by looking only; a limit ends it, and nothing waits for it (Q-6)",
    },
    Permitted {
        cost: Scan("commands"),
        statements: &["list routers with commands"],
        reason: "what is asked for is made of all commands; they go when they are done",
    },
    Permitted {
        cost: Scan("ntf_tokens"),
        statements: &["load the token", "load a token with a status"],
        reason: "a device has one token",
    },
    Permitted {
        cost: Scan("ntf_tokens_to_delete"),
        statements: &[
            "find a token to delete",
            "forget expired tokens to delete",
            "list routers with tokens to delete",
        ],
        reason: "no index; a device has few, and they go when they are done",
    },
    Permitted {
        cost: Scan("rcv_files"),
        statements: &["list deleted received files", "list expired received files"],
        reason: "no index on the mark, or on the time alone; asked by a cleaner (F-179, F-180)",
    },
    Permitted {
        cost: Scan("snd_files"),
        statements: &["list deleted sent files", "list expired sent files"],
        reason: "no index on the mark, or on the time alone; asked by a cleaner (F-202, F-203)",
    },
    Permitted {
        cost: Sort,
        statements: &[
            "find a connection's primary receive queue",
            "load a connection's receive queues",
            "load a connection's send queues",
            "load the receive queues of connections",
            "load the send queues of connections",
            "set the notifier of a connection's primary queue",
        ],
        reason: "the few queues of the connections that are asked for",
    },
    Permitted {
        cost: Sort,
        statements: &[
            "list a received file's redirects",
            "load a received file's chunks",
            "load a received file's replicas",
            "load a replica's recipients",
            "load a sent file's chunks",
            "load a sent file's recipients",
            "load a sent file's replicas",
            "look for a sent file",
        ],
        reason: "what belongs to the file that is asked for",
    },
    Permitted {
        cost: Sort,
        statements: &["load a service's credentials", "load a service's subscription"],
        reason: "a user's services on one router",
    },
    Permitted {
        cost: Sort,
        statements: &[
            "find a token to delete",
            "find actions on a message router",
            "find actions on a notification router",
            "find the next command",
            "find the next command for a router",
            "look for a chunk to download",
            "look for a file to decrypt",
            "look for a replica to delete",
            "look for a sent chunk to upload",
            "look for a sent file to prepare",
        ],
        reason: "the work that waits, on one router where it is of routers; no index has the order of the work",
    },
    Permitted {
        cost: Sort,
        statements: &[
            "list routers to download from",
            "list routers to subscribe on",
            "list routers with chunks to upload",
            "list routers with commands",
            "list routers with commands of a connection",
            "list routers with commands of connections",
            "list routers with new subscriptions",
            "list routers with replicas to delete",
            "list routers with tokens to delete",
        ],
        reason: "tells routers apart, of which there are few, among the work that waits",
    },
    Permitted {
        cost: Sort,
        statements: &["list queues with new subscriptions"],
        reason: "a page of the few queues that are marked, where the server takes the index of these",
    },
    Permitted {
        cost: Sort,
        statements: &[
            "delete expired hashes of ratchet keys",
            "delete expired messages",
            "look for the bodies of expired messages",
        ],
        reason: "rows that the index gives in their order, made certain among those of one time; up to a limit",
    },
    Permitted {
        cost: Sort,
        statements: &["list messages that were to be delivered for too long"],
        reason: "what is expired, when the server expects little of that",
    },
];
