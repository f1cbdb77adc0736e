//! SHA-256 of one block: up to 55 octets in, the digest out (FIPS 180-4).
//!
//! Every digest of the law fits one block: the proof of work on the packet path and the field keys. The schedule is kept
//! in the sixteen words it is given, because a BPF program has 512 octets of stack in all.

use core::hint::black_box;

/// The initial hash value, FIPS 180-4 §5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The round constants, FIPS 180-4 §4.2.2.
const ROUND: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// One message block, padding included: eight big-endian pairs of words.
///
/// Pairs, since the BPF compiler writes neighbouring words at once, aligned or not, and the verifier refuses the latter.
pub type Block = [u64; 8];

/// The first 64 bits of the digest of a message of one padded block. Uses the block up.
#[inline(always)]
pub fn first_bits(block: &mut Block) -> u64 {
    let [first, second, ..] = digest(block);
    u64::from(first) << 32 | u64::from(second)
}

/// The digest of a message of one padded block, as eight big-endian words. Uses the block up.
///
/// Eight rounds a turn, so that the eight registers stand again where they stood, and not 64 in a row: the compiler would
/// keep the whole schedule at hand and run out of stack.
#[inline(always)]
pub fn digest(block: &mut Block) -> [u32; 8] {
    if cfg!(target_endian = "little") {
        for pair in block.iter_mut() {
            *pair = pair.rotate_left(32);
        }
    }
    // Both out of the compiler's sight: it would keep all these words at hand, on a stack of 512 octets.
    let schedule: &mut [u32; 16] = black_box(bytemuck::cast_mut(block));
    let mut state = INITIAL;
    let state: &mut [u32; 8] = black_box(&mut state);
    // One round, its eight words named in turn instead of moved: `$d` and `$h` are the two that change.
    macro_rules! round {
        ($a:literal $b:literal $c:literal $d:literal $e:literal $f:literal $g:literal $h:literal, $t:expr) => {
            let (a, e) = (state[$a], state[$e]);
            let t1 = state[$h]
                .wrapping_add(e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25))
                .wrapping_add((e & (state[$f] ^ state[$g])) ^ state[$g])
                .wrapping_add(ROUND[$t & 63])
                .wrapping_add(schedule[$t & 15]);
            let t2 = (a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22))
                .wrapping_add((a & state[$b]) | (state[$c] & (a | state[$b])));
            state[$d] = state[$d].wrapping_add(t1);
            state[$h] = t1.wrapping_add(t2);
            // The word that the same place of the next sixteen rounds needs.
            let (early, late) = (schedule[($t + 1) & 15], schedule[($t + 14) & 15]);
            schedule[$t & 15] = schedule[$t & 15]
                .wrapping_add(early.rotate_right(7) ^ early.rotate_right(18) ^ early >> 3)
                .wrapping_add(schedule[($t + 9) & 15])
                .wrapping_add(late.rotate_right(17) ^ late.rotate_right(19) ^ late >> 10);
        };
    }
    let mut t = 0;
    while t < 64 {
        round!(0 1 2 3 4 5 6 7, t);
        round!(7 0 1 2 3 4 5 6, t + 1);
        round!(6 7 0 1 2 3 4 5, t + 2);
        round!(5 6 7 0 1 2 3 4, t + 3);
        round!(4 5 6 7 0 1 2 3, t + 4);
        round!(3 4 5 6 7 0 1 2, t + 5);
        round!(2 3 4 5 6 7 0 1, t + 6);
        round!(1 2 3 4 5 6 7 0, t + 7);
        t += 8;
    }
    let mut words = INITIAL;
    for (word, round) in words.iter_mut().zip(state) {
        *word = word.wrapping_add(*round);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    proptest! {
        #[test]
        fn agrees_with_an_independent_implementation(message in proptest::collection::vec(any::<u8>(), 0..=55)) {
            let mut octets = [0; 64];
            octets[..message.len()].copy_from_slice(&message);
            octets[message.len()] = 0x80;
            octets[56..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
            let mut block = core::array::from_fn(|i| u64::from_be_bytes(octets[i * 8..i * 8 + 8].try_into().unwrap()));
            let ours: std::vec::Vec<u8> = digest(&mut block).iter().flat_map(|word| word.to_be_bytes()).collect();
            prop_assert_eq!(&ours[..], &Sha256::digest(&message)[..]);
        }
    }

    extern crate std;
}
