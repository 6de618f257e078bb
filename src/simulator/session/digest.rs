//! The digests of the platform's `Crypto`, as lower-case hexadecimal.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub fn hex(kind: &str, data: &[u8]) -> String {
    match kind {
        "md5" => text(&md5(data)),
        "sha1" => text(&sha1(data)),
        _ => text(&Sha256::digest(data)),
    }
}

pub fn hmac_sha256(key: &[u8], data: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    text(&mac.finalize().into_bytes())
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Pads to blocks of 64 bytes with the length in bits at the end.
fn blocks(data: &[u8], length: [u8; 8]) -> Vec<[u8; 64]> {
    let mut padded = data.to_vec();
    padded.push(0x80);
    padded.resize((data.len() + 9).next_multiple_of(64), 0);
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&length);
    padded.chunks_exact(64).map(|chunk| chunk.try_into().expect("chunks_exact gives 64 bytes")).collect()
}

fn md5(data: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let constant = |step: usize| ((step as f64 + 1.0).sin().abs() * 4_294_967_296.0) as u32;
    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in blocks(data, (data.len() as u64 * 8).to_le_bytes()) {
        let word =
            |at: usize| u32::from_le_bytes([block[at * 4], block[at * 4 + 1], block[at * 4 + 2], block[at * 4 + 3]]);
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64 {
            let (mixed, place) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), (7 * step) % 16),
            };
            let sum = mixed.wrapping_add(a).wrapping_add(constant(step)).wrapping_add(word(place));
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[step / 16][step % 4]));
        }
        state = [a, b, c, d]
            .iter()
            .zip(state)
            .map(|(new, old)| old.wrapping_add(*new))
            .collect::<Vec<_>>()
            .try_into()
            .expect("four words stay four");
    }
    let mut out = [0; 16];
    state.iter().enumerate().for_each(|(at, word)| out[at * 4..at * 4 + 4].copy_from_slice(&word.to_le_bytes()));
    out
}

fn sha1(data: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in blocks(data, (data.len() as u64 * 8).to_be_bytes()) {
        let mut words = [0u32; 80];
        for (at, four) in block.chunks_exact(4).enumerate() {
            words[at] = u32::from_be_bytes([four[0], four[1], four[2], four[3]]);
        }
        for at in 16..80 {
            words[at] = (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (mixed, constant) = match at / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let sum = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e).wrapping_add(constant).wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, sum);
        }
        for (old, new) in state.iter_mut().zip([a, b, c, d, e]) {
            *old = old.wrapping_add(new);
        }
    }
    let mut out = [0; 20];
    state.iter().enumerate().for_each(|(at, word)| out[at * 4..at * 4 + 4].copy_from_slice(&word.to_be_bytes()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        assert_eq!(hex("md5", b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(hex("md5", b"message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        assert_eq!(hex("sha1", b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let long = "1234567890".repeat(8);
        assert_eq!(hex("md5", long.as_bytes()), "57edf4a22be3c955ac49da2e2107b67a");
        let sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex("sha256", b"abc"), sha);
    }

    #[test]
    fn every_length_of_padding_fills_whole_blocks() {
        for length in 0..200 {
            let padded = blocks(&vec![1; length], [0; 8]);
            assert_eq!(padded.len(), (length + 9).div_ceil(64), "length {length}");
        }
    }
}
