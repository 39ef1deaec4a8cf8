//! Connections, their queues, services, notices and subscriptions.

use super::{Rule, not_all_or_none, rule};

pub(super) const RULES: &[Rule] = &[
    rule!(
        Damage,
        connections[conn_id],
        "its last message number is below that of a message, or below the numbers of both directions \
         together",
        "stop the agent and raise last_internal_msg_id: a number that is given again replaces a message",
        "SELECT c.conn_id FROM connections c
          WHERE c.last_internal_msg_id < c.last_internal_rcv_msg_id + c.last_internal_snd_msg_id
             OR c.last_internal_msg_id <
                (SELECT max(m.internal_id) FROM messages m WHERE m.conn_id = c.conn_id)"
    ),
    rule!(
        Damage,
        connections[conn_id],
        "its last receive number is below that of a message",
        "stop the agent and raise last_internal_rcv_msg_id to the highest internal_rcv_id",
        "SELECT c.conn_id FROM connections c
          WHERE c.last_internal_rcv_msg_id <
                (SELECT max(m.internal_rcv_id) FROM rcv_messages m WHERE m.conn_id = c.conn_id)"
    ),
    rule!(
        Damage,
        connections[conn_id],
        "its last send number is below that of a message",
        "stop the agent and raise last_internal_snd_msg_id to the highest internal_snd_id",
        "SELECT c.conn_id FROM connections c
          WHERE c.last_internal_snd_msg_id <
                (SELECT max(m.internal_snd_id) FROM snd_messages m WHERE m.conn_id = c.conn_id)"
    ),
    rule!(
        Damage,
        connections[conn_id],
        "the head of its receive chain isn't its last received message",
        "nothing is lost: the next message will be told as one after a gap, once",
        "SELECT c.conn_id
           FROM connections c
           JOIN rcv_messages r
             ON r.conn_id = c.conn_id AND r.internal_rcv_id = c.last_internal_rcv_msg_id
          WHERE r.internal_hash <> c.last_rcv_msg_hash
             OR r.external_snd_id <> c.last_external_snd_msg_id"
    ),
    rule!(
        Damage,
        connections[conn_id],
        "the head of its send chain isn't its last sent message",
        "nothing is lost: the peer will tell the next message as one after a gap, once",
        "SELECT c.conn_id
           FROM connections c
           JOIN snd_messages s
             ON s.conn_id = c.conn_id AND s.internal_snd_id = c.last_internal_snd_msg_id
          WHERE s.internal_hash <> c.last_snd_msg_hash"
    ),
    // A retry after an answer that was lost makes one more (AS-41, Q-3).
    rule!(
        Leftover,
        rcv_queues[conn_id],
        "the connection has more than one primary receive queue, besides one that replaces it",
        "clear rcv_primary on all but the one that is in use",
        "SELECT conn_id FROM rcv_queues
          WHERE rcv_primary <> 0 AND replace_rcv_queue_id IS NULL AND deleted = 0
          GROUP BY conn_id HAVING count(*) > 1"
    ),
    rule!(
        Damage,
        snd_queues[conn_id],
        "the connection has more than one primary send queue, besides one that replaces it",
        "clear snd_primary on all but the one that is in use",
        "SELECT conn_id FROM snd_queues
          WHERE snd_primary <> 0 AND replace_snd_queue_id IS NULL
          GROUP BY conn_id HAVING count(*) > 1"
    ),
    rule!(
        Damage,
        rcv_queues [conn_id, rcv_queue_id],
        "has some of its notifier's four columns, and not all",
        "clear all four: the agent makes new ones when notifications are enabled again",
        concat!(
            "SELECT conn_id, rcv_queue_id FROM rcv_queues WHERE ",
            not_all_or_none!("ntf_id", "ntf_public_key", "ntf_private_key", "rcv_ntf_dh_secret")
        )
    ),
    rule!(
        Damage,
        rcv_queues [conn_id, rcv_queue_id],
        "has some of its short link's four columns, and not all",
        "restore the row from a backup, or clear all four: the link is lost then",
        concat!(
            "SELECT conn_id, rcv_queue_id FROM rcv_queues WHERE ",
            not_all_or_none!("link_id", "link_key", "link_priv_sig_key", "link_enc_fixed_data")
        )
    ),
    rule!(
        Leftover,
        rcv_queues [conn_id, rcv_queue_id],
        "is associated with a service that its user doesn't have (F-013)",
        "nothing is lost: it is subscribed by itself once the association is cleared",
        "SELECT q.conn_id, q.rcv_queue_id
           FROM rcv_queues q JOIN connections c ON c.conn_id = q.conn_id
          WHERE q.rcv_service_assoc <> 0 AND q.deleted = 0
            AND NOT EXISTS (SELECT 1 FROM client_services s
                             WHERE s.user_id = c.user_id AND s.host = q.host AND s.port = q.port)"
    ),
    rule!(
        Leftover,
        client_services [user_id, host, port],
        "the user has more than one service at this router (AS-17)",
        "delete all but one: which of them is used isn't defined",
        "SELECT user_id, host, port FROM client_services
          WHERE server_key_hash IS NULL
          GROUP BY user_id, host, port HAVING count(*) > 1"
    ),
    rule!(
        Damage,
        client_notices[client_notice_id],
        "belongs to a row of servers that isn't there (host and port name it, without a foreign key)",
        "restore the row of servers from a backup, or delete this one",
        "SELECT n.client_notice_id FROM client_notices n
          WHERE NOT EXISTS (SELECT 1 FROM servers s WHERE s.host = n.host AND s.port = n.port)"
    ),
    rule!(
        Leftover,
        ntf_subscriptions[conn_id],
        "its connection isn't there any more (AS-14)",
        "nothing is lost: delete the row",
        "SELECT n.conn_id FROM ntf_subscriptions n
          WHERE NOT EXISTS (SELECT 1 FROM connections c WHERE c.conn_id = n.conn_id)"
    ),
    rule!(
        Damage,
        ntf_subscriptions[conn_id],
        "has an action at both routers",
        "clear both: the supervisor decides anew",
        "SELECT conn_id FROM ntf_subscriptions
          WHERE ntf_sub_action IS NOT NULL AND ntf_sub_smp_action IS NOT NULL"
    ),
    rule!(
        Damage,
        ntf_subscriptions[conn_id],
        "has an action and no time for it, so no worker can take it",
        "clear the action: the supervisor decides anew",
        "SELECT conn_id FROM ntf_subscriptions
          WHERE (ntf_sub_action IS NOT NULL OR ntf_sub_smp_action IS NOT NULL)
            AND ntf_sub_action_ts IS NULL"
    ),
    rule!(
        Damage,
        servers_stats[servers_stats_id],
        "the row of the statistics isn't there (AS-18)",
        "insert row 1: statistics are not kept without it",
        "SELECT 1 AS servers_stats_id
          WHERE NOT EXISTS (SELECT 1 FROM servers_stats WHERE servers_stats_id = 1)"
    ),
];
