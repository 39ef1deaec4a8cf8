//! The types of queues, and what they do without a database (section 3.4).

use simplex_stores::agent_store::types::*;

use crate::connection_fixture::{ntf_creds, short_link, smp_server};
use crate::fixture::{on_each, server};

#[test]
fn queues_are_found_by_router_and_id_whatever_the_fingerprint() {
    on_each(|test| {
        let (first, snd) = test.duplex(test.user(), "d");
        let second = test.more_rcv(&first.conn_id, "more", false, None);
        let queues = Queues::new(vec![first.clone(), second.clone()]).unwrap();
        assert_eq!((queues.len(), queues.first()), (2, &first));
        assert_eq!(queues.iter().collect::<Vec<_>>(), [&first, &second]);
        let same = server("smp.example,abc.onion", "5223", &[9; 32]);
        let other = server("smp.example,abc.onion", "443", &[1; 32]);
        assert_eq!(queues.find(&same, &second.rcv_id), Some(&second));
        assert_eq!(queues.find(&other, &second.rcv_id), None);
        assert_eq!(queues.find_by_sender(&same, &second.snd_id), Some(&second));
        assert_eq!(queues.find_by_sender(&other, &second.snd_id), None);
        assert_eq!(queues.with_number(QueueNumber(2)), Some(&second));
        assert_eq!(queues.with_number(QueueNumber(3)), None);
        assert_eq!(queues.clone().split(&same, &snd_id_as_rcv(&second)), None);
        let split = queues.clone().split(&same, &first.rcv_id);
        assert_eq!(split, Some((first.clone(), vec![second.clone()])));
        assert_eq!(queues.clone().into_vec(), [first, second]);
        let sends = Queues::new(vec![snd.clone()]).unwrap();
        assert_eq!(sends.find(&smp_server(), &snd.snd_id), Some(&snd));
    });
    assert!(Queues::<RcvQueue>::new(Vec::new()).is_none());
}

fn snd_id_as_rcv(queue: &RcvQueue) -> RecipientId {
    RecipientId::from_bytes(queue.snd_id.as_bytes()).unwrap()
}

#[test]
fn the_queue_that_is_being_replaced_is_found_whatever_its_state() {
    on_each(|test| {
        let (rcv, snd) = test.duplex(test.user(), "d");
        let second = test.more_rcv(&rcv.conn_id, "more", false, None);
        let mut queues = Queues::new(vec![rcv, second.clone()]).unwrap();
        assert_eq!(queues.switching(), None);
        for status in RcvSwitchStatus::ALL {
            let switching = RcvQueue { rcv_switch_status: Some(*status), ..second.clone() };
            queues.replace(switching.clone());
            assert_eq!((queues.len(), queues.switching()), (2, Some(&switching)));
            assert_eq!(switching.can_abort_switch(), status.can_abort(), "AS-26");
        }
        assert!(!second.can_abort_switch());
        let mut sends = Queues::new(vec![snd.clone()]).unwrap();
        assert_eq!(sends.switching(), None);
        let snd_switch_status = Some(SndSwitchStatus::SendingQtest);
        let switching = SndQueue { snd_switch_status, ..snd };
        sends.replace(switching.clone());
        assert_eq!(sends.switching(), Some(&switching));
        let unknown = SndQueue { db_queue_id: StoredEntity(7), ..switching.clone() };
        sends.replace(unknown);
        assert_eq!(sends.into_vec(), [switching], "there is none with that number");
    });
}

#[test]
fn as25_the_address_that_is_given_away_is_the_sender_s() {
    on_each(|test| {
        let queue = test.rcv_connection(test.user(), "queue");
        let address = queue.address();
        // The public half of the fixture's key, computed by another program.
        let public = "ac01b2209e86354fb853237b5de0f4fab13c7fcbf433a61c019369617fecf10b";
        let hex: String =
            address.dh_public_key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, public);
        assert_eq!((&address.server, &address.snd_id), (&queue.server, &queue.snd_id));
        assert_eq!(address.queue_mode, Some(QueueMode::Messaging));
        let recipient = format!("{:?}", queue.rcv_id);
        assert!(!format!("{address:?}").contains(&recipient));
    });
}

#[test]
fn secrets_do_not_show() {
    on_each(|test| {
        let (rcv, snd) = test.duplex(test.user(), "d");
        let short_link = Some(short_link("d"));
        let rcv = RcvQueue { short_link, client_ntf_creds: Some(ntf_creds("d")), ..rcv };
        let shown = format!("{rcv:?} {snd:?}");
        for byte in [2, 3, 4, 5, 7, 8, 9, 11, 12] {
            let bytes = format!("{byte}, {byte}, {byte}");
            let base64 = simplex_stores::encoding::base64url::to_string(&[byte; 32]);
            assert!(!shown.contains(&bytes) && !shown.contains(&base64), "{byte}: {shown}");
        }
        assert!(!shown.contains("MC4CAQ"), "how PKCS#8 begins: {shown}");
    });
}
