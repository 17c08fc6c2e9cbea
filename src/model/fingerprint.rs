//! A short number for bytes.

/// Returns the FNV-1a of the bytes: the same on every machine, good for telling things of ours apart, and easy to collide on purpose.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
