//! A picture of a mail, which goes along by Content-ID: every reader shows it, where `data:` images
//! are dropped.

use serde::{Deserialize, Serialize};

use crate::output::without_breaks;

/// A picture and what stands above it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    pub caption: String,
    /// `cid:` and the Content-ID.
    pub source: String,
    pub alternative: String,
    pub file_name: String,
    #[serde(with = "base64_text")]
    pub png: Vec<u8>,
}

impl Picture {
    /// `name` tells it from the others of its mail.
    pub fn new(caption: &str, name: &str, alternative: &str, png: &[u8]) -> Self {
        // A Content-ID is an address in ASCII (RFC 2392); a name may be anything.
        let plain: String = name
            .chars()
            .map(|letter| {
                if letter.is_ascii_alphanumeric() || letter == '_' {
                    letter
                } else {
                    '-'
                }
            })
            .collect();
        Self {
            caption: without_breaks(caption),
            source: format!("cid:{plain}@bandwatch"),
            alternative: without_breaks(alternative),
            file_name: format!("{plain}.png"),
            png: png.to_vec(),
        }
    }

    pub fn content_id(&self) -> &str {
        self.source.trim_start_matches("cid:")
    }
}

/// Bytes as text, for JSON.
mod base64_text {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(de::Error::custom)
    }
}
