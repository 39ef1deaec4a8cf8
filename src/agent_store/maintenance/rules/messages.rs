//! Messages, their details, bodies and deliveries.

use super::{Rule, not_all_or_none, rule};

pub(super) const RULES: &[Rule] = &[
    rule!(
        Damage,
        messages [conn_id, internal_id],
        "has the numbers of both directions, or of none",
        "restore the row from a backup, or delete it",
        "SELECT conn_id, internal_id FROM messages
          WHERE (internal_rcv_id IS NULL) = (internal_snd_id IS NULL)"
    ),
    rule!(
        Damage,
        rcv_messages [conn_id, internal_rcv_id],
        "its message has the number of other details, or of none",
        "restore both rows from a backup, or delete the message",
        "SELECT r.conn_id, r.internal_rcv_id
           FROM rcv_messages r
           JOIN messages m ON m.conn_id = r.conn_id AND m.internal_id = r.internal_id
          WHERE m.internal_rcv_id IS DISTINCT FROM r.internal_rcv_id"
    ),
    rule!(
        Damage,
        snd_messages [conn_id, internal_snd_id],
        "its message has the number of other details, or of none",
        "restore both rows from a backup, or delete the message",
        "SELECT s.conn_id, s.internal_snd_id
           FROM snd_messages s
           JOIN messages m ON m.conn_id = s.conn_id AND m.internal_id = s.internal_id
          WHERE m.internal_snd_id IS DISTINCT FROM s.internal_snd_id"
    ),
    rule!(
        Damage,
        snd_messages [conn_id, internal_snd_id],
        "some of what was prepared to encrypt it is missing (AS-65)",
        "delete the message: it can't be sent",
        "SELECT s.conn_id, s.internal_snd_id FROM snd_messages s
          WHERE (s.msg_encrypt_key IS NULL) <> (s.padded_msg_len IS NULL)
             OR (s.msg_encrypt_key IS NULL AND s.snd_message_body_id IS NOT NULL)
             OR (s.msg_encrypt_key IS NOT NULL AND s.snd_message_body_id IS NULL
                 AND EXISTS (SELECT 1 FROM snd_message_deliveries d
                              WHERE d.conn_id = s.conn_id AND d.internal_id = s.internal_id
                                AND d.failed = 0))"
    ),
    rule!(
        Damage,
        snd_messages [conn_id, internal_snd_id],
        "has one of the two intervals of its attempts, and not both",
        "clear both: the attempts begin with the first intervals",
        concat!(
            "SELECT conn_id, internal_snd_id FROM snd_messages WHERE ",
            not_all_or_none!("retry_int_slow", "retry_int_fast")
        )
    ),
    rule!(
        Damage,
        snd_messages [conn_id, internal_snd_id],
        "has a receipt's message or its status, and not both",
        "clear both: the receipt is lost then",
        concat!(
            "SELECT conn_id, internal_snd_id FROM snd_messages WHERE ",
            not_all_or_none!("rcpt_internal_id", "rcpt_status")
        )
    ),
    rule!(
        Leftover,
        snd_message_bodies[snd_message_body_id],
        "no message has this body (AS-69)",
        "nothing is lost: delete the row",
        "SELECT b.snd_message_body_id FROM snd_message_bodies b
          WHERE NOT EXISTS (SELECT 1 FROM snd_messages s
                             WHERE s.snd_message_body_id = b.snd_message_body_id)"
    ),
    rule!(
        Damage,
        snd_message_deliveries[snd_message_delivery_id],
        "its send queue isn't there (AS-57)",
        "delete the row: nothing will send it",
        "SELECT d.snd_message_delivery_id FROM snd_message_deliveries d
          WHERE NOT EXISTS (SELECT 1 FROM snd_queues q
                             WHERE q.conn_id = d.conn_id AND q.snd_queue_id = d.snd_queue_id)"
    ),
    rule!(
        Damage,
        snd_message_deliveries[snd_message_delivery_id],
        "its message was received, not sent",
        "delete the row: nothing will send it",
        "SELECT d.snd_message_delivery_id
           FROM snd_message_deliveries d
           JOIN messages m ON m.conn_id = d.conn_id AND m.internal_id = d.internal_id
          WHERE m.internal_snd_id IS NULL"
    ),
];
