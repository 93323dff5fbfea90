//! What a server answers (RFC 5321, 4.2): bytes as they come, in any pieces, become replies. Nothing that
//! a server may send takes more memory than a reply may have.

use std::fmt;

/// In bytes. RFC 5321, 4.5.3.1.5, allows 512; some servers say more.
const LONGEST_LINE: usize = 2000;
const MOST_LINES: usize = 500;

/// The text is whatever the server said: it may be in any encoding, and is decoded as far as it is UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// From 200 to 599.
    pub code: u16,
    /// At least one.
    pub lines: Vec<String>,
}

/// What the first digit of a code says (RFC 5321, 4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// 2yz: done.
    Completed,
    /// 3yz: the server waits for what belongs to the command.
    Intermediate,
    /// 4yz: not now.
    Transient,
    /// 5yz: not ever.
    Permanent,
}

/// Why bytes are no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    LongLine,
    ManyLines,
    /// Without a code and a blank or a hyphen after it.
    NoCode(String),
    /// All lines of a reply have the same code.
    TwoCodes(u16, u16),
}

/// Makes replies of bytes.
#[derive(Debug, Default)]
pub struct ReplyParser {
    /// Of a line that has not ended yet, and what came after the last reply.
    unread: Vec<u8>,
    /// The reply that has not ended yet.
    begun: Option<Reply>,
}

impl Reply {
    pub fn severity(&self) -> Severity {
        match self.code / 100 {
            2 => Severity::Completed,
            3 => Severity::Intermediate,
            4 => Severity::Transient,
            _ => Severity::Permanent,
        }
    }

    /// Whether it refuses this recipient or message for good. Those from 500 to 539 are about the commands and
    /// the login (RFC 5321, 4.2.3; RFC 4954, 6), which other settings may change. So may what is said of the
    /// sender, of policy and of the way here (RFC 3463, X.1.7, X.1.8, X.3, X.4 and X.7), often only in answer to
    /// the recipient or the message.
    pub fn is_about_mail(&self) -> bool {
        const STATUSES: [&str; 6] = ["5.1.7", "5.1.8", "5.2.25", "5.3.", "5.4.", "5.7."];
        const WORDS: [&str; 6] = ["sender", "relay", "client", "helo", "ehlo", "authent"];
        let is_about_settings = self.lines.iter().any(|line| {
            let line = line.to_ascii_lowercase();
            STATUSES.iter().any(|status| line.starts_with(status))
                || WORDS.iter().any(|word| line.contains(word))
        });
        self.code / 10 == 55 && !is_about_settings
    }

    /// Whether the message is larger than the server takes (RFC 1870; RFC 3463, X.3.4 and X.2.3).
    pub fn is_about_size(&self) -> bool {
        let says = |status| self.lines.iter().any(|line| line.starts_with(status));
        self.code == 552 && !says("5.2.2") || says("5.3.4") || says("5.2.3")
    }
}

impl ReplyParser {
    pub fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next reply, if it is there whole.
    pub fn take(&mut self) -> Result<Option<Reply>, Malformed> {
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            if end >= LONGEST_LINE {
                return Err(Malformed::LongLine);
            }
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            let Line {
                code,
                text,
                is_last,
            } = Line::parse(&line)?;
            let reply = self.begun.get_or_insert(Reply {
                code,
                lines: Vec::new(),
            });
            if reply.code != code {
                return Err(Malformed::TwoCodes(reply.code, code));
            }
            if reply.lines.len() == MOST_LINES {
                return Err(Malformed::ManyLines);
            }
            reply.lines.push(text);
            if is_last {
                return Ok(self.begun.take());
            }
        }
        if self.unread.len() > LONGEST_LINE {
            return Err(Malformed::LongLine);
        }
        Ok(None)
    }

    /// Whether nothing came that was not taken.
    pub fn is_empty(&self) -> bool {
        self.unread.is_empty() && self.begun.is_none()
    }
}

struct Line {
    code: u16,
    text: String,
    is_last: bool,
}

impl Line {
    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let no_code = || Malformed::NoCode(String::from_utf8_lossy(bytes).into_owned());
        let (code, rest) = bytes.split_at_checked(3).ok_or_else(no_code)?;
        let is_code = matches!(code[0], b'2'..=b'5') && code.iter().all(u8::is_ascii_digit);
        if !is_code {
            return Err(no_code());
        }
        let (is_last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err(no_code()),
        };
        Ok(Self {
            code: code
                .iter()
                .fold(0, |code, digit| 10 * code + u16::from(digit - b'0')),
            text: String::from_utf8_lossy(text).into_owned(),
            is_last,
        })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{} {}", self.code, self.lines.join(" "))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::LongLine => write!(
                formatter,
                "the server's answer has a line of more than {LONGEST_LINE} bytes"
            ),
            Self::ManyLines => write!(
                formatter,
                "the server's answer has more than {MOST_LINES} lines"
            ),
            Self::NoCode(line) => write!(formatter, "the server's answer is not SMTP: {line:?}"),
            Self::TwoCodes(one, other) => {
                write!(
                    formatter,
                    "the server's answer is both {one} and {other}, which is not SMTP"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// All replies in these bytes, which come in pieces of this size.
    fn replies(bytes: &[u8], size: usize) -> Result<Vec<Reply>, Malformed> {
        let mut parser = ReplyParser::default();
        let mut replies = Vec::new();
        for piece in bytes.chunks(size) {
            parser.push(piece);
            while let Some(reply) = parser.take()? {
                replies.push(reply);
            }
        }
        Ok(replies)
    }

    fn reply(code: u16, lines: &[&str]) -> Reply {
        let lines = lines.iter().map(ToString::to_string).collect();
        Reply { code, lines }
    }

    #[test]
    fn a_reply_is_read_up_to_its_last_line() {
        for (bytes, expected) in [
            (&b"250 ok\r\n"[..], vec![reply(250, &["ok"])]),
            (b"220\r\n", vec![reply(220, &[""])]),
            (b"220 bare\n", vec![reply(220, &["bare"])]),
            (
                b"250-a\r\n250-SIZE 1\r\n250 b\r\n",
                vec![reply(250, &["a", "SIZE 1", "b"])],
            ),
            (
                b"250 one\r\n451 other\r\n",
                vec![reply(250, &["one"]), reply(451, &["other"])],
            ),
            // No answer yet, or one that was cut off.
            (b"250", vec![]),
            (b"250-more\r\n", vec![]),
        ] {
            assert_eq!(replies(bytes, 1000), Ok(expected), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_read_as_far_as_it_is() {
        let expected = reply(550, &["bo\u{fffd}te pleine"]);
        assert_eq!(replies(b"550 bo\xeete pleine\r\n", 9), Ok(vec![expected]));
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for bytes in [
            &b"hello\r\n"[..],
            b"\r\n",
            b"25\r\n",
            b"999 no\r\n",
            b"150 no\r\n",
            b"250_no\r\n",
            b"2\xb20 no\r\n",
            b"250-ok\r\n550 no\r\n",
        ] {
            assert!(replies(bytes, 1000).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_reply_that_never_ends_is_refused_when_it_is_too_long() {
        let endless = [b"220 ".to_vec(), vec![b'x'; 2 * LONGEST_LINE]].concat();
        assert_eq!(replies(&endless, 100), Err(Malformed::LongLine));
        let whole = [endless.as_slice(), b"\r\n"].concat();
        assert_eq!(replies(&whole, whole.len()), Err(Malformed::LongLine));
        let endless = b"220-hi\r\n".repeat(MOST_LINES + 1);
        assert_eq!(replies(&endless, 100), Err(Malformed::ManyLines));
    }

    #[test]
    fn a_refusal_for_the_size_is_told_from_one_for_a_full_mailbox() {
        for (code, text, is_about_mail) in [
            (550, "5.1.1 no such user", true),
            (550, "no", true),
            (554, "5.6.0 not like this", true),
            (
                553,
                "5.7.1 <a@b.example>: Sender address rejected: not owned by user",
                false,
            ),
            (550, "5.1.8 Domain not found", false),
            (554, "5.7.1 Relay access denied", false),
            (
                554,
                "Email address is not verified: client is in the sandbox",
                false,
            ),
            (550, "5.4.5 daily limit", false),
            (535, "5.7.8 no", false),
        ] {
            assert_eq!(
                reply(code, &[text]).is_about_mail(),
                is_about_mail,
                "{text}"
            );
        }
        for (code, text, is_about_size) in [
            (552, "5.3.4 Message size exceeds fixed limit", true),
            (552, "too much mail data", true),
            (554, "5.3.4 too big", true),
            (550, "5.2.3 longer than the administrator likes", true),
            (552, "5.2.2 mailbox full", false),
            (550, "5.1.1 no such user", false),
        ] {
            assert_eq!(reply(code, &[text]).is_about_size(), is_about_size);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_hoard(pieces in vec(vec(any::<u8>(), 0..300), 0..30)) {
            let mut parser = ReplyParser::default();
            for piece in pieces {
                parser.push(&piece);
                while let Ok(Some(reply)) = parser.take() {
                    prop_assert!((200..600).contains(&reply.code));
                }
                if parser.take().is_err() {
                    break;
                }
                prop_assert!(parser.unread.len() <= LONGEST_LINE);
            }
        }

        #[test]
        fn what_looks_like_replies_is_read_alike_in_any_pieces(
            lines in vec("(250|354|55)[ -]?[a-z\u{e9}]{0,3}(\r\n|\n|)", 0..8),
            size in 1_usize..9,
        ) {
            let bytes = lines.concat().into_bytes();
            prop_assert_eq!(replies(&bytes, size), replies(&bytes, bytes.len().max(1)));
        }

        #[test]
        fn a_reply_is_read_back(code in 200_u16..600, lines in vec("[ -~\u{e9}]{0,50}", 1..9)) {
            let last = lines.len() - 1;
            let written = lines.iter().enumerate().map(|(index, line)| {
                let hyphen = if index == last { ' ' } else { '-' };
                format!("{code}{hyphen}{line}\r\n")
            });
            let written: String = written.collect();
            prop_assert_eq!(replies(written.as_bytes(), 7), Ok(vec![Reply { code, lines }]));
        }
    }
}
