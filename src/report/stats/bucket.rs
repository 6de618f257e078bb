//! The bucket of a key: what an assignment by hash is recomputed from.

use sha2::{Digest, Sha256};

/// Buckets of the scale: a share of one hundredth of a per cent each.
pub const BUCKETS: u64 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    pub hash: u64,
    pub bucket: u64,
}

/// The first eight bytes of SHA-256 of `salt:key`, big-endian, scaled to `0 ..= 9999`. The key is
/// the normalised number, never a row id: a duplicate keeps its place.
pub fn of(salt: &str, key: &str) -> Hashed {
    let digest = Sha256::digest(format!("{salt}:{key}"));
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    let hash = u64::from_be_bytes(first);
    // hash / 2^64 · BUCKETS, without a float between.
    Hashed { hash, bucket: ((u128::from(hash) * u128::from(BUCKETS)) >> 64) as u64 }
}
