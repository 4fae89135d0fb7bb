//! Short sums of texts: the same in every version of this program.

/// The 64-bit FNV-1a sum.
pub(crate) fn fnv_hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Eight hexadecimal digits: enough to distinguish a handful of places, without revealing an account id.
pub(crate) fn short_hash(text: &str) -> String {
    let sum = fnv_hash(text);
    format!("{:08x}", (sum >> 32) ^ (sum & 0xffff_ffff))
}
