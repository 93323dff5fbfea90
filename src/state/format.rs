//! A file of the state says what it is, in which version, and whether it is whole: a line ahead of the
//! JSON, with a checksum of it.

use std::fmt;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::output::fingerprint::fingerprint;

const NAME: &str = "bandwatch";
/// Of all files; one that a newer bandwatch wrote is not guessed at.
const VERSION: u32 = 1;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    Newer(u32),
    /// A bandwatch before 0.2 wrote it.
    Older,
    Damaged(String),
    /// It has more bytes than these, and was not read on.
    TooLarge(u64),
    /// It is whole, and was of no use all the same.
    Unusable,
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Newer(version) => write!(
                formatter,
                "a newer bandwatch wrote it (format {version}, this one reads {VERSION})"
            ),
            Self::Older => formatter
                .write_str("an older bandwatch wrote it, in a format that is not in use any more"),
            Self::Damaged(how) => write!(formatter, "it is damaged: {how}"),
            Self::TooLarge(most) => {
                let most = most >> 20;
                write!(
                    formatter,
                    "it is larger than {most} MiB, and was not looked into"
                )
            }
            Self::Unusable => formatter.write_str(
                "it could not be read when it was needed, or does not hold what it should",
            ),
        }
    }
}

pub fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    let body = serde_json::to_string(value).context("write as JSON")?;
    let checksum = fingerprint(&body);
    Ok(format!("{NAME} {VERSION} {checksum:016x}\n{body}\n").into_bytes())
}

/// Whether bandwatch, in whatever version, may have written what begins like this.
pub fn is_of_bandwatch(bytes: &[u8]) -> bool {
    bytes
        .strip_prefix(NAME.as_bytes())
        .is_some_and(|rest| rest.starts_with(b" "))
}

pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, LoadError> {
    let damaged = |how: &str| LoadError::Damaged(how.to_string());
    let text = std::str::from_utf8(bytes).map_err(|_| damaged("not text"))?;
    let (head, body) = text.split_once('\n').ok_or_else(|| damaged("cut short"))?;
    let words: Vec<&str> = head.split(' ').collect();
    let [NAME, version, checksum] = words.as_slice() else {
        return Err(damaged("not a file of bandwatch"));
    };
    match version.parse() {
        Ok(VERSION) => {}
        Ok(version) if version > VERSION => return Err(LoadError::Newer(version)),
        _ => return Err(damaged("no version")),
    }
    let body = body.strip_suffix('\n');
    let body = body.ok_or_else(|| damaged("cut short"))?;
    if *checksum != format!("{:016x}", fingerprint(body)) {
        return Err(damaged("its checksum does not match"));
    }
    serde_json::from_str(body).map_err(|error| LoadError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_damaged(bytes: &[u8]) -> bool {
        matches!(decode::<Vec<String>>(bytes), Err(LoadError::Damaged(_)))
    }

    #[test]
    fn what_was_encoded_is_read_back() {
        let value = vec![("sales".to_string(), 1.5)];
        let bytes = encode(&value).expect("bytes");
        assert_eq!(decode::<Vec<(String, f64)>>(&bytes), Ok(value));
    }

    #[test]
    fn a_newer_version_is_told_apart_from_damage() {
        let bytes = String::from_utf8(encode(&7).expect("bytes")).expect("text");
        let newer = bytes.replacen(" 1 ", " 2 ", 1);
        assert_eq!(decode::<u32>(newer.as_bytes()), Err(LoadError::Newer(2)));
        assert!(is_damaged(bytes.as_bytes()), "a number is no list");
    }

    #[test]
    fn a_file_cut_anywhere_is_damaged() {
        let bytes = encode(&vec!["sales"; 5]).expect("bytes");
        for length in 0..bytes.len() {
            assert!(is_damaged(&bytes[..length]), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(decode::<Vec<String>>(&bytes).is_err());
        }

        #[test]
        fn any_one_changed_byte_is_noticed(place in 0_usize..60, byte in any::<u8>()) {
            let mut bytes = encode(&vec!["sales"; 5]).expect("bytes");
            let place = place % bytes.len();
            prop_assume!(bytes[place] != byte);
            bytes[place] = byte;
            prop_assert!(decode::<Vec<String>>(&bytes).is_err());
        }
    }
}
