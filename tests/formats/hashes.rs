//! SE-49 to SE-51 and the arithmetic of section 2.11.

use simplex_stores::protocol::{CountHash, IdsHash, ServiceDifference, ServiceQueues};

use crate::support::{hex, id_bytes, service, service_2};

#[test]
fn se49_the_hash_of_an_id_is_md5_of_its_bytes() {
    let hash = |first| IdsHash::of_id(&id_bytes(first)).as_bytes().to_vec();
    assert_eq!(hash(0x00), hex("8bd9c8efbbac58748951ca5a45cfd386"));
    assert_eq!(hash(0x20), hex("33c00ea47da591b78f60f1203e65e3ed"));
}

#[test]
fn se50_the_hash_of_a_set_is_the_xor_and_has_16_bytes() {
    let [one, other] = [0x00, 0x20].map(|first| IdsHash::of_id(&id_bytes(first)));
    let both = one.xor(other);
    assert_eq!(both.as_bytes().to_vec(), hex("b819c64bc609c9c306313b7a7baa306b"));
    assert_eq!(both, other.xor(one));
    assert_eq!(both.xor(other), one);
    assert_eq!([one, other].into_iter().collect::<IdsHash>(), both);
    assert_eq!(IdsHash::EMPTY.as_bytes(), &[0; 16]);
    assert_eq!(one.xor(IdsHash::EMPTY), one);
    assert_eq!(IdsHash::from_bytes(both.as_bytes()), Some(both));
    assert_eq!(IdsHash::from_bytes(&[0; 15]), None);
    assert_eq!(IdsHash::from_bytes(&[0; 17]), None);
}

#[test]
fn se50_counts_and_hashes_add_and_subtract() {
    let [one, other] = [0x00, 0x20].map(|first| CountHash::of_id(&id_bytes(first)));
    let both = one.add(other);
    assert_eq!(both.count, 2);
    assert_eq!(both.hash, one.hash.xor(other.hash));
    assert_eq!(both.subtract(other), one);
    assert_eq!(both.subtract(CountHash::EMPTY), both);
    assert_eq!(one.add(CountHash::EMPTY), one);
}

#[test]
fn se50_subtracting_as_much_or_more_leaves_nothing() {
    let [one, other] = [0x00, 0x20].map(|first| CountHash::of_id(&id_bytes(first)));
    assert_eq!(one.subtract(one), CountHash::EMPTY);
    assert_eq!(one.subtract(other), CountHash::EMPTY);
    assert_eq!(one.subtract(one.add(other)), CountHash::EMPTY);
    assert_eq!(CountHash::EMPTY.subtract(one), CountHash::EMPTY);
}

#[test]
fn se50_counts_at_the_end_of_the_range_stay_there() {
    let most = CountHash { count: i64::MAX, hash: IdsHash::EMPTY };
    let least = CountHash { count: i64::MIN, hash: IdsHash::EMPTY };
    assert_eq!(most.add(most).count, i64::MAX);
    assert_eq!(least.add(least).count, i64::MIN);
    assert_eq!(most.subtract(least).count, i64::MAX);
    assert_eq!(least.subtract(most), CountHash::EMPTY);
}

#[test]
fn se50_the_first_difference_is_reported() {
    let [one, other] = [0x00, 0x20].map(|first| CountHash::of_id(&id_bytes(first)));
    let queues = |service_id, queues| ServiceQueues { service_id, queues };
    let expected = queues(service(), one);
    assert_eq!(expected.difference(&expected.clone()), None);
    assert_eq!(
        expected.difference(&queues(service_2(), one.add(other))),
        Some(ServiceDifference::ServiceId { expected: service(), actual: service_2() })
    );
    assert_eq!(
        expected.difference(&queues(service(), one.add(other))),
        Some(ServiceDifference::Count { expected: 1, actual: 2 })
    );
    assert_eq!(
        expected.difference(&queues(service(), other)),
        Some(ServiceDifference::Hash { expected: one.hash, actual: other.hash })
    );
}
