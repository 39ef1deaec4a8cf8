//! Files (section 3.13).

use super::macros::column_enum;

column_enum! {
    /// How far a file's receiving has come.
    RcvFileStatus as text, "a received file's status" {
        /// Its chunks are downloaded.
        Receiving = "receiving",
        /// All are there.
        Received = "received",
        /// They are decrypted.
        Decrypting = "decrypting",
        /// It is there.
        Complete = "complete",
        /// It won't be.
        Error = "error",
    }
}

column_enum! {
    /// How far a file's sending has come.
    SndFileStatus as text, "a sent file's status" {
        /// Nothing is done yet.
        New = "new",
        /// It is encrypted.
        Encrypting = "encrypting",
        /// It was.
        Encrypted = "encrypted",
        /// Its chunks are uploaded.
        Uploading = "uploading",
        /// All are.
        Complete = "complete",
        /// It won't be sent.
        Error = "error",
    }
}

column_enum! {
    /// How far a replica's upload has come.
    SndFileReplicaStatus as text, "a replica's status" {
        /// It has its place on the router.
        Created = "created",
        /// It is there.
        Uploaded = "uploaded",
    }
}
