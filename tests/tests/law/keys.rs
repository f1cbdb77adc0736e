//! Key rings in; which keys are tried, and that no secret is ever shown, out.

use ssa_common::{
    rule::{Compiled, Key, Request, Rule, Secrets},
    verdict::Reason,
};

use crate::random::{Random, destination, secret};

const PREFIX: u128 = 0x2001_0db8_0000_0001 << 64;
const SOURCE: u128 = 0x2001_0db8_0077_0001_0203_0405_0607_0809;

/// The key with this number has always the same secret.
fn key(number: u32) -> Key {
    Key { number, secret: secret(&mut Random(number.into())) }
}

fn compile(text: &str, numbers: &[u32]) -> Compiled {
    let ring: Vec<Key> = numbers.iter().copied().map(key).collect();
    text.parse::<Rule>().unwrap().place(PREFIX, 64).unwrap().compile(&Secrets { salt: [0; 16], ring: &ring }, 5)
}

/// An address made by a client that has this key alone.
fn made_with(text: &str, number: u32) -> u128 {
    destination(&compile(text, &[number]), &Request { source: SOURCE, ..Request::default() }, &mut Random(0))
}

fn reason(text: &str, ring: &[u32], made_with_key: u32) -> Reason {
    compile(text, ring).conforms(SOURCE, made_with(text, made_with_key), 0)
}

#[test]
fn the_newest_key_signs_wherever_it_stands_in_the_ring() {
    for ring in [[3, 7, 5], [7, 5, 3], [5, 3, 7]] {
        let compiled = compile("mac(64,key=k):64", &ring);
        let address = destination(&compiled, &Request { source: SOURCE, ..Request::default() }, &mut Random(0));
        assert_eq!(address, made_with("mac(64,key=k):64", 7));
    }
}

#[test]
fn the_two_newest_keys_are_tried_and_the_third_is_not() {
    let text = "any:16 mac(64,key=k):48";
    for (number, expected) in
        [(9, Reason::Conform), (8, Reason::Conform), (5, Reason::MacMismatch), (10, Reason::MacMismatch)]
    {
        assert_eq!(reason(text, &[5, 9, 8], number), expected, "key {number}");
    }
    assert_eq!(reason(text, &[5], 5), Reason::Conform, "a ring of one");
    assert_eq!(reason(text, &[], 5), Reason::MacMismatch, "an empty ring");
}

#[test]
fn keyid_chooses_among_all_keys() {
    let text = "keyid:8 any:8 mac(64,key=k):48";
    let ring = [1, 2, 3, 4, 5, 6, 7, 8];
    for number in ring {
        assert_eq!(reason(text, &ring, number), Reason::Conform, "key {number}");
    }
    for number in [0, 9, 255] {
        assert_eq!(reason(text, &ring, number), Reason::UnknownKey, "key {number}");
    }
    assert_eq!(reason(text, &[], 1), Reason::UnknownKey, "an empty ring");
}

#[test]
fn keyid_names_a_key_and_the_tag_must_be_its() {
    let text = "keyid:8 any:8 mac(64,key=k):48";
    let address = made_with(text, 3);
    let compiled = compile(text, &[3, 4]);
    assert_eq!(compiled.conforms(SOURCE, address, 0), Reason::Conform);
    // The same address under the number 4 names a key that is there and did not make the tag.
    let renamed = address & !(0xff << 56) | 4 << 56;
    assert_eq!(compiled.conforms(SOURCE, renamed, 0), Reason::MacMismatch);
    // Under 5 it names a key that is not there.
    let renamed = address & !(0xff << 56) | 5 << 56;
    assert_eq!(compiled.conforms(SOURCE, renamed, 0), Reason::UnknownKey);
}

#[test]
fn of_numbers_that_share_their_low_bits_the_two_newest_are_tried() {
    let text = "keyid:4 any:12 mac(64,key=k):48";
    let ring = [0x11, 0x21, 0x31, 0x32];
    for (number, expected) in [
        (0x31, Reason::Conform),
        (0x21, Reason::Conform),
        (0x11, Reason::MacMismatch),
        (0x41, Reason::MacMismatch),
        (0x32, Reason::Conform),
        (0x42, Reason::MacMismatch),
        (0x33, Reason::UnknownKey),
    ] {
        assert_eq!(reason(text, &ring, number), expected, "key {number:#x}");
    }
}

#[test]
fn a_wide_keyid_holds_the_whole_number() {
    let text = "keyid:40 mac(64,key=k):24";
    assert_eq!(made_with(text, u32::MAX) >> 24 & 0xff_ffff_ffff, u128::from(u32::MAX));
    assert_eq!(reason(text, &[u32::MAX, 1], u32::MAX), Reason::Conform);
    assert_eq!(reason(text, &[u32::MAX - 1], u32::MAX), Reason::UnknownKey);
}

#[test]
fn of_nine_keys_the_oldest_is_left_out() {
    let text = "keyid:8 any:8 mac(64,key=k):48";
    let ring = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    assert_eq!(reason(text, &ring, 2), Reason::Conform);
    assert_eq!(reason(text, &ring, 1), Reason::UnknownKey);
}

#[test]
fn what_a_ring_is_debugged_as_holds_no_secret() {
    let ring = [key(77), key(78)];
    let secrets = Secrets { salt: [0; 16], ring: &ring };
    let compiled = compile("mac(64,key=k):64", &[77, 78]);
    for shown in [format!("{:?}", ring[0]), format!("{secrets:?}"), format!("{secrets:#?}"), format!("{compiled:?}")] {
        for Key { secret, .. } in ring {
            let hexadecimal = format!("{:032x}", u128::from_be_bytes(secret));
            let octets = secret.map(|octet| octet.to_string()).join(", ");
            assert!(!shown.contains(&hexadecimal) && !shown.contains(&octets), "{shown}");
        }
        assert!(!shown.contains("secret") && !shown.contains("ring: [KeyRow"), "{shown}");
    }
    assert!(format!("{:?}", ring[0]).contains("77"));
}
