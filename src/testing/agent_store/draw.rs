//! Random arguments of operations, from pools so small that operations meet each other.

use std::time::Duration;

use quickcheck::{Arbitrary, Gen};

use super::sample;
use crate::agent_store::types::*;
use crate::db::UtcTime;
use crate::protocol::{AuthKey, Blob, DhSecret, RoundedSeconds};

/// What can be drawn from a pool.
pub(super) trait Draw: Sized {
    fn draw(g: &mut Gen) -> Self;
}

pub(super) fn below(g: &mut Gen, bound: u8) -> u8 {
    u8::arbitrary(g) % bound.max(1)
}

/// Mostly one of the first two, so that what was made is met again; sometimes one that isn't there.
fn small(g: &mut Gen, most: u8) -> u8 {
    let bound = if below(g, 3) == 0 { most } else { most.min(2) };
    1 + below(g, bound)
}

impl<T: Draw> Draw for Option<T> {
    fn draw(g: &mut Gen) -> Self {
        bool::arbitrary(g).then(|| T::draw(g))
    }
}

impl<T: Draw> Draw for Vec<T> {
    fn draw(g: &mut Gen) -> Self {
        (0..below(g, 4)).map(|_| T::draw(g)).collect()
    }
}

impl<T: Draw> Draw for Box<T> {
    fn draw(g: &mut Gen) -> Self {
        Box::new(T::draw(g))
    }
}

impl<A: Draw, B: Draw> Draw for (A, B) {
    fn draw(g: &mut Gen) -> Self {
        (A::draw(g), B::draw(g))
    }
}

macro_rules! draw {
    ($($type:ty = |$g:ident| $value:expr;)+) => {$(
        impl Draw for $type {
            fn draw($g: &mut Gen) -> Self {
                $value
            }
        }
    )+};
}

macro_rules! draw_rows {
    ($($type:ident $most:literal)+) => {$(
        impl Draw for $type {
            fn draw(g: &mut Gen) -> Self {
                Self(i64::from(small(g, $most)))
            }
        }
    )+};
}
draw_rows!(
    UserId 3 NoticeId 3 AsyncCmdId 5 DbRcvFileId 4 DbSndFileId 4 RcvChunkId 5 RcvChunkReplicaId 6
    SndChunkId 5 SndChunkReplicaId 5 DeletedSndChunkReplicaId 4 SndMsgBodyId 4 NtfTokenToDeleteId 4
    QueueNumber 4 InternalId 8 InternalRcvId 5 InternalSndId 5 ExternalSndId 6 RetryDelay 5
);

macro_rules! draw_ids {
    ($($type:ident $most:literal)+) => {$(
        impl Draw for $type {
            fn draw(g: &mut Gen) -> Self {
                sample::id(small(g, $most), $type::from_bytes)
            }
        }
    )+};
}
draw_ids!(
    ConnId 4 RecipientId 6 SenderId 6 NotifierId 4 LinkId 3 ServiceId 3 NtfTokenId 3
    NtfSubscriptionId 3 ChunkReplicaId 6 MsgId 6 RatchetKeyHash 3
);

macro_rules! draw_all {
    ($($type:ident)+) => {$(
        impl Draw for $type {
            fn draw(g: &mut Gen) -> Self {
                *g.choose(Self::ALL).unwrap_or(&Self::ALL[0])
            }
        }
    )+};
}
draw_all!(
    ConnectionMode QueueStatus RcvSwitchStatus SndSwitchStatus RatchetSyncState AgentMessageType
    MsgReceiptStatus NotificationsMode NtfSubNtfAction NtfSubSmpAction RcvFileStatus SndFileStatus
    SndFileReplicaStatus
);

/// One number of a few, for what is stored and read again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nth(pub(super) u8);

/// How old something has to be: nothing is so old, or everything but what was made just now. What was made
/// just now is never compared with the clock, so that no answer depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Age(pub(super) Duration);

/// How many at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit(pub(super) u32);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

draw! {
    bool = |g| bool::arbitrary(g);
    Nth = |g| Nth(below(g, 3));
    Age = |g| Age(if below(g, 3) == 0 { 36_500 * DAY } else { DAY });
    Limit = |g| Limit(u32::from(below(g, 4)));
    UtcTime = |g| sample::time(below(g, 20));
    RoundedSeconds = |g| RoundedSeconds::from_seconds(1_000_000_000 + i64::from(below(g, 5)));
    Blob = |g| sample::blob(below(g, 4));
    AgentVersion = |g| AgentVersion(2 + u16::from(below(g, 4)));
    SmpClientVersion = |g| SmpClientVersion(1 + u16::from(below(g, 4)));
    E2eVersion = |g| E2eVersion(2 + u16::from(below(g, 2)));
    SubscriptionMode = |g| if bool::arbitrary(g) { Self::Subscribe } else { Self::OnlyCreate };
    QueueMode = |g| if bool::arbitrary(g) { Self::Messaging } else { Self::Contact };
    SmpServer = |g| sample::router(below(g, 4));
    NtfServer = |g| sample::router(below(g, 3));
    XftpServer = |g| sample::router(below(g, 3));
    AuthKey = |g| AuthKey::Ed25519([below(g, 4); 32]);
    AuthPrivateKey = |g| match below(g, 2) {
        0 => Self::Ed25519([below(g, 4); 32]),
        _ => Self::X25519([below(g, 4); 32]),
    };
    DhSecret = |g| DhSecret::new([below(g, 4); 32]);
    MsgHash = |g| MsgHash(vec![below(g, 5); 32]);
    MsgBody = |g| sample::body(below(g, 4));
    MsgFlags = |g| MsgFlags { notification: bool::arbitrary(g) };
    AgentMessage = |g| sample::agent_message(below(g, 3));
    RetryState2 = |g| {
        Self { slow_interval: i64::from(below(g, 9)), fast_interval: i64::from(below(g, 9)) }
    };
    MsgReceipt = |g| Self { msg_id: Draw::draw(g), status: Draw::draw(g) };
    MsgIntegrity = |g| match below(g, 5) {
        0 | 1 => Self::Ok,
        2 => Self::Error(MsgErrorType::BadHash),
        3 => Self::Error(MsgErrorType::BadId { previous: Draw::draw(g) }),
        _ => Self::Error(MsgErrorType::Duplicate),
    };
    ClientNotice = |g| Self { ttl: bool::arbitrary(g).then(|| i64::from(below(g, 9))) };
    ShortLinkCreds = |g| sample::short_link(below(g, 3));
    ClientNtfCreds = |g| sample::ntf_creds(Draw::draw(g), below(g, 3));
    ServiceCredentials = |g| sample::service_credentials(below(g, 3));
    Ratchet = |g| sample::ratchet(below(g, 4));
    X3dhKeys = |g| sample::x3dh_keys(below(g, 3), bool::arbitrary(g));
    SndE2eParams = |g| sample::snd_e2e_params(below(g, 3), Draw::draw(g));
    SkippedMsgDiff = |g| match below(g, 4) {
        0 => Self::NoChange,
        1 | 2 => Self::Add(sample::skipped_keys(below(g, 3), below(g, 3))),
        _ => Self::Remove(sample::header_key(below(g, 3)), u32::from(below(g, 4))),
    };
    NtfSubAction = |g| match bool::arbitrary(g) {
        true => Self::Ntf(Draw::draw(g)),
        false => Self::Smp(Draw::draw(g)),
    };
    NtfAgentSubStatus = |g| match below(g, 5) {
        0 => Self::New,
        1 => Self::Key,
        2 => Self::Created(NtfSubStatus::Active),
        3 => Self::Off,
        _ => Self::Created(NtfSubStatus::Auth),
    };
    DeviceToken = |g| sample::device_token(below(g, 2));
    NtfTknStatus = |g| match below(g, 4) {
        0 => Self::New,
        1 => Self::Registered,
        2 => Self::Expired,
        _ => Self::Active,
    };
    NtfTknAction = |g| match below(g, 3) {
        0 => Self::Check,
        1 => Self::Verify(vec![below(g, 3); 8]),
        _ => Self::Delete,
    };
    FilePath = |g| sample::path(below(g, 3));
    FileErrorText = |g| FileErrorText::new(["", "AUTH", "with \0 in it"][usize::from(below(g, 3))]);
    FileDigest = |g| FileDigest(vec![below(g, 3); 32]);
    CryptoFile = |g| sample::crypto_file(below(g, 3), bool::arbitrary(g));
    RedirectFileInfo = |g| Self { size: FileSize(i64::from(below(g, 5))), digest: Draw::draw(g) };
    CorrId = |g| CorrId(vec![below(g, 3); usize::from(below(g, 3))]);
}

/// What records are made of, field by field.
macro_rules! draw_records {
    ($($type:ident { $($field:ident $(= $value:expr)?),+ })+) => {$(
        impl Draw for $type {
            fn draw(g: &mut Gen) -> Self {
                Self { $($field: draw_records!(g $(, $value)?)),+ }
            }
        }
    )+};
    ($g:ident) => { Draw::draw($g) };
    ($g:ident, $value:expr) => { $value };
}
draw_records! {
    FileChunkReplica { server, replica_id, replica_key }
    ReplicaRecipient { replica_id, replica_key }
    NewSndChunkReplica { server, replica_id, replica_key, rcv_ids_keys }
    NewSndFile {
        src_file, num_recipients = 2, prefix_path, key = SbKey::new([1; 32]), nonce = SbNonce([2; 24]), redirect
    }
    SmpConfirmation {
        sender_key, e2e_pub_key = X25519PublicKey::new([3; 32]), conn_info,
        smp_reply_queues = ReplyQueues::default(), smp_client_version
    }
    NewConfirmation { conn_id, sender_conf, ratchet_state }
    NewInvitation { contact_conn_id, conn_req = sample::conn_req(), recipient_conn_info }
    InvShortLink { server, link_id, link_key = LinkKey(vec![4; 32]), snd_private_key, snd_id }
    NtfSubscription { user_id, conn_id, smp_server, ntf_queue_id, ntf_server, ntf_sub_id, ntf_sub_status }
}

/// The id of a new connection: often none, so that a random one is made.
#[derive(Clone, Debug)]
pub(super) struct NewConn(pub(super) NewConnData);

impl Draw for NewConn {
    fn draw(g: &mut Gen) -> Self {
        Self(NewConnData {
            conn_id: (below(g, 8) != 0).then(|| Draw::draw(g)),
            user_id: Draw::draw(g),
            agent_version: Draw::draw(g),
            enable_ntfs: Draw::draw(g),
            pq_support: Draw::draw(g),
        })
    }
}

impl Draw for NewRcvQueue {
    fn draw(g: &mut Gen) -> Self {
        let one_in_four = |g: &mut Gen| below(g, 4) == 0;
        Self {
            server: Draw::draw(g),
            rcv_id: Draw::draw(g),
            rcv_private_key: Draw::draw(g),
            rcv_dh_secret: Draw::draw(g),
            e2e_priv_key: sample::key_pair(below(g, 3)),
            e2e_dh_secret: Draw::draw(g),
            snd_id: Draw::draw(g),
            queue_mode: Draw::draw(g),
            short_link: one_in_four(g).then(|| Draw::draw(g)),
            rcv_service_assoc: Draw::draw(g),
            status: Draw::draw(g),
            primary: true,
            db_replace_queue_id: None,
            smp_client_version: Draw::draw(g),
            client_ntf_creds: one_in_four(g).then(|| Draw::draw(g)),
        }
    }
}

impl Draw for NewSndQueue {
    fn draw(g: &mut Gen) -> Self {
        Self {
            server: Draw::draw(g),
            snd_id: Draw::draw(g),
            queue_mode: Draw::draw(g),
            snd_private_key: Draw::draw(g),
            e2e_pub_key: bool::arbitrary(g).then(|| X25519PublicKey::new([below(g, 3); 32])),
            e2e_dh_secret: Draw::draw(g),
            status: Draw::draw(g),
            primary: true,
            db_replace_queue_id: None,
            smp_client_version: Draw::draw(g),
        }
    }
}

impl Draw for KemParams {
    fn draw(g: &mut Gen) -> Self {
        sample::kem_params(below(g, 2), bool::arbitrary(g))
    }
}

impl Draw for AgentCommand {
    fn draw(g: &mut Gen) -> Self {
        match below(g, 5) {
            0 => Self::Client(ClientCommand::Swch),
            1 => Self::Client(ClientCommand::Ack {
                message_id: AgentMsgId(i64::from(below(g, 5))),
                receipt_info: Draw::draw(g),
            }),
            2 => Self::Internal(InternalCommand::Ack(Draw::draw(g), Draw::draw(g))),
            3 => Self::Internal(InternalCommand::QSecure(Draw::draw(g), Draw::draw(g))),
            _ => Self::Internal(InternalCommand::DeleteConn),
        }
    }
}

impl Draw for RcvFileDescription {
    fn draw(g: &mut Gen) -> Self {
        let chunk = |g: &mut Gen, number| FileChunk {
            chunk_no: ChunkNo(number),
            chunk_size: ChunkSize(65_536),
            digest: Draw::draw(g),
            replicas: Draw::draw(g),
        };
        let chunks = (1..=i64::from(below(g, 4))).map(|number| chunk(g, number)).collect();
        Self {
            party: Recipient,
            size: FileSize(1 << 20),
            digest: Draw::draw(g),
            key: SbKey::new([5; 32]),
            nonce: SbNonce([6; 24]),
            chunk_size: ChunkSize(65_536),
            chunks,
            redirect: Draw::draw(g),
        }
    }
}

/// The device's token, as it is before it is registered.
impl Draw for NtfToken {
    fn draw(g: &mut Gen) -> Self {
        Self::new(
            Draw::draw(g),
            Draw::draw(g),
            (Draw::draw(g), Draw::draw(g)),
            sample::key_pair(below(g, 3)),
            Draw::draw(g),
        )
    }
}

impl Draw for AgentServersStats {
    fn draw(g: &mut Gen) -> Self {
        let mut stats = Self::default();
        let counters = SmpServerStats { sent_direct: i64::from(below(g, 9)), ..Default::default() };
        stats.smp.insert((Draw::draw(g), Draw::draw(g)), counters);
        stats
    }
}

/// The chunks of a file that was encrypted.
#[derive(Clone, Debug)]
pub(super) struct EncryptedChunks(pub(super) Vec<(XftpChunkSpec, FileDigest)>);

impl Draw for EncryptedChunks {
    fn draw(g: &mut Gen) -> Self {
        let chunk = |number: u8, digest| {
            let spec = XftpChunkSpec {
                file_path: "encrypted".into(),
                chunk_offset: ChunkOffset(65_536 * i64::from(number)),
                chunk_size: ChunkSize(65_536),
            };
            (spec, digest)
        };
        Self((0..below(g, 4)).map(|number| chunk(number, Draw::draw(g))).collect())
    }
}
