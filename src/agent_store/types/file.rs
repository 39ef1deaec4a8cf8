//! Files, whichever way they go (section 3.13): statuses, sizes, keys, and what a file's description says.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use super::macros::{column_enum, row_id};
use super::{AuthPrivateKey, ChunkReplicaId, XftpServer};
use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};
use crate::encoding::base64url;

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

row_id! {
    /// A chunk's place in its file, as the description numbers it.
    ChunkNo
}
row_id! {
    /// A replica's place among those of its chunk, from 1.
    ReplicaNumber
}
row_id! {
    /// The bytes of a file: of the encrypted one where it is in chunks.
    FileSize
}
row_id! {
    /// How long the last attempt at a replica was told to wait, in microseconds.
    RetryDelay
}

/// The bytes of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkSize(pub u32);

impl ToParam for ChunkSize {
    fn to_param(&self) -> Param<'_> {
        self.0.to_param()
    }
}

impl FromCell<'_> for ChunkSize {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        u32::from_cell(cell).map(Self)
    }
}

/// The hash of a file or of a chunk.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FileDigest(pub Vec<u8>);

impl fmt::Debug for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::to_string(&self.0))
    }
}

impl ToParam for FileDigest {
    fn to_param(&self) -> Param<'_> {
        self.0.to_param()
    }
}

impl FromCell<'_> for FileDigest {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        Vec::from_cell(cell).map(Self)
    }
}

/// A symmetric key: of a file on its way, or of the copy on the device. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SbKey([u8; 32]);

impl SbKey {
    /// The key with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, which are also what the database keeps.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SbKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<key>")
    }
}

impl ToParam for SbKey {
    fn to_param(&self) -> Param<'_> {
        self.0.to_param()
    }
}

impl FromCell<'_> for SbKey {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        <[u8; 32]>::from_cell(cell).map(Self)
    }
}

/// The nonce that goes with such a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SbNonce(pub [u8; 24]);

impl ToParam for SbNonce {
    fn to_param(&self) -> Param<'_> {
        self.0.to_param()
    }
}

impl FromCell<'_> for SbNonce {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        <[u8; 24]>::from_cell(cell).map(Self)
    }
}

/// The path of a file or a folder: a text without zero characters, so that both databases can keep it, and
/// systems take it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

impl FilePath {
    /// This path; `None` when there is a zero character in it.
    pub fn new(path: impl Into<String>) -> Option<Self> {
        let path = path.into();
        (!path.contains('\0')).then_some(Self(path))
    }

    /// This path; `None` also when it is no text.
    pub fn from_path(path: &Path) -> Option<Self> {
        path.to_str().and_then(Self::new)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as the system takes it.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl ToParam for FilePath {
    fn to_param(&self) -> Param<'_> {
        self.0.to_param()
    }
}

impl FromCell<'_> for FilePath {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        Self::new(<&str>::from_cell(cell)?)
            .ok_or_else(|| Unreadable::expected("a path: it has a zero character"))
    }
}

/// Why a file failed for good, in words; some come from routers, so what no database takes, zero
/// characters, is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileErrorText(String);

impl FileErrorText {
    /// With this text.
    pub fn new(text: &str) -> Self {
        Self(text.replace('\0', "\u{fffd}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ToParam for FileErrorText {
    fn to_param(&self) -> Param<'_> {
        Param::Text(Cow::Borrowed(&self.0))
    }
}

/// A file on the device, and how it is encrypted there, if it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptoFile {
    /// Where it is.
    pub path: FilePath,
    /// The key and nonce of its local encryption.
    pub crypto: Option<CryptoFileArgs>,
}

/// A local encryption's key and nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptoFileArgs {
    /// The key.
    pub key: SbKey,
    /// The nonce.
    pub nonce: SbNonce,
}

impl CryptoFile {
    /// A file that isn't encrypted on the device.
    pub fn plain(path: FilePath) -> Self {
        Self { path, crypto: None }
    }

    /// The values of the columns of the key and the nonce.
    pub fn crypto_columns(&self) -> (Option<&SbKey>, Option<SbNonce>) {
        match &self.crypto {
            Some(args) => (Some(&args.key), Some(args.nonce)),
            None => (None, None),
        }
    }
}

impl CryptoFileArgs {
    /// What the columns of key and nonce say.
    ///
    /// # Errors
    ///
    /// One without the other: taken for none, it would have a file written without its encryption.
    pub fn of_columns(
        key: Option<SbKey>,
        nonce: Option<SbNonce>,
    ) -> Result<Option<Self>, Unreadable> {
        match (key, nonce) {
            (Some(key), Some(nonce)) => Ok(Some(Self { key, nonce })),
            (None, None) => Ok(None),
            _ => Err(Unreadable::new("a key and a nonce stand together, or neither")),
        }
    }
}

/// For whom a description is.
pub trait FileParty: Copy + fmt::Debug + Eq {}

/// For who receives the file: the keys permit to download its chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Recipient;

/// For who sent it: the keys permit to delete its chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sender;

impl FileParty for Recipient {}
impl FileParty for Sender {}

/// Where the chunks of an encrypted file are, and how to make the file of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDescription<P> {
    /// For whom it is.
    pub party: P,
    /// The size of the encrypted file.
    pub size: FileSize,
    /// Its hash.
    pub digest: FileDigest,
    /// What it is encrypted with.
    pub key: SbKey,
    /// The nonce to that.
    pub nonce: SbNonce,
    /// The size of chunks that don't say another.
    pub chunk_size: ChunkSize,
    /// The chunks.
    pub chunks: Vec<FileChunk>,
    /// When the file holds another description, of the real one: what that is like.
    pub redirect: Option<RedirectFileInfo>,
}

/// What a recipient gets.
pub type RcvFileDescription = FileDescription<Recipient>;
/// What a sender keeps.
pub type SndFileDescription = FileDescription<Sender>;

/// What the real file of a redirect is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectFileInfo {
    /// Its size.
    pub size: FileSize,
    /// Its hash.
    pub digest: FileDigest,
}

/// A chunk, as a description has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChunk {
    /// Its number.
    pub chunk_no: ChunkNo,
    /// Its size.
    pub chunk_size: ChunkSize,
    /// Its hash.
    pub digest: FileDigest,
    /// Where it is.
    pub replicas: Vec<FileChunkReplica>,
}

/// A copy of a chunk on a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChunkReplica {
    /// The router.
    pub server: XftpServer,
    /// What the router calls it.
    pub replica_id: ChunkReplicaId,
    /// What authorizes commands about it.
    pub replica_key: AuthPrivateKey,
}
