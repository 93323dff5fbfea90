//! A short mark of a text: the same across runs, machines and releases.

use std::hash::{BuildHasher, RandomState};

use sha2::{Digest, Sha256};

/// FNV-1a in 64 bits (G. Fowler, L. C. Noll, K.-P. Vo, <http://www.isthe.com/chongo/tech/comp/fnv/>):
/// to tell names apart, not to keep a secret.
pub fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A mark of 32 letters that no two texts share: the first half of SHA-256.
pub fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text);
    let half = bytes.iter().take(16);
    half.map(|byte| format!("{byte:02x}")).collect()
}

/// A mark that no other run makes, of the random numbers of the system.
pub fn random_mark() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_are_those_of_the_reference() {
        // The test vectors of the page above.
        assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_digest_is_that_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223");
    }
}
