//! Files, their chunks and replicas.

use super::{Rule, not_all_or_none, rule};

pub(super) const RULES: &[Rule] = &[
    rule!(
        Damage,
        rcv_files[rcv_file_id],
        "has the key or the nonce of its encryption on this device, and not both",
        "restore the row from a backup: without both, the file can't be read",
        concat!(
            "SELECT rcv_file_id FROM rcv_files WHERE ",
            not_all_or_none!("save_file_key", "save_file_nonce")
        )
    ),
    rule!(
        Damage,
        rcv_files[rcv_file_id],
        "has some of what it leads to, and not all",
        "restore the row from a backup, or delete it",
        concat!(
            "SELECT rcv_file_id FROM rcv_files WHERE ",
            not_all_or_none!("redirect_entity_id", "redirect_size", "redirect_digest")
        )
    ),
    rule!(
        Damage,
        rcv_file_chunks [rcv_file_id, chunk_no],
        "the file has this chunk more than once",
        "delete the file, and receive it again",
        "SELECT rcv_file_id, chunk_no FROM rcv_file_chunks
          GROUP BY rcv_file_id, chunk_no HAVING count(*) > 1"
    ),
    rule!(
        Damage,
        rcv_file_chunk_replicas [rcv_file_chunk_id, replica_number],
        "the chunk has a replica of this number more than once",
        "delete the file, and receive it again",
        "SELECT rcv_file_chunk_id, replica_number FROM rcv_file_chunk_replicas
          GROUP BY rcv_file_chunk_id, replica_number HAVING count(*) > 1"
    ),
    rule!(
        Damage,
        snd_files[snd_file_id],
        "has the key or the nonce of its encryption on this device, and not both",
        "delete the file, and send it again",
        concat!(
            "SELECT snd_file_id FROM snd_files WHERE ",
            not_all_or_none!("src_file_key", "src_file_nonce")
        )
    ),
    rule!(
        Damage,
        snd_files[snd_file_id],
        "has the size or the digest of what it leads to, and not both",
        "delete the file, and send it again",
        concat!(
            "SELECT snd_file_id FROM snd_files WHERE ",
            not_all_or_none!("redirect_size", "redirect_digest")
        )
    ),
    rule!(
        Damage,
        snd_file_chunks [snd_file_id, chunk_no],
        "the file has this chunk more than once",
        "delete the file, and send it again",
        "SELECT snd_file_id, chunk_no FROM snd_file_chunks
          GROUP BY snd_file_id, chunk_no HAVING count(*) > 1"
    ),
];
