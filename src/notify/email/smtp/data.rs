//! A message as it goes over the wire after DATA.

/// Lines end with CRLF, one that begins with a dot gets another, and a dot alone ends it all (RFC 5321,
/// 4.5.2 and 2.3.8).
pub fn data(message: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(message.len() + message.len() / 50 + 5);
    let mut rest = message;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        if line.starts_with(b".") {
            data.push(b'.');
        }
        data.extend_from_slice(line);
        data.extend_from_slice(b"\r\n");
        rest = match after {
            [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
            [] => after,
        };
    }
    data.extend_from_slice(b".\r\n");
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_end_with_crlf_and_dots_are_doubled() {
        for (message, expected) in [
            ("a\r\n", "a\r\n.\r\n"),
            ("a\nb\rc", "a\r\nb\r\nc\r\n.\r\n"),
            (".\r\n..\r\n.a.\r\n", "..\r\n...\r\n..a.\r\n.\r\n"),
            ("a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n.\r\n"),
            ("a\n.\n", "a\r\n..\r\n.\r\n"),
            ("", ".\r\n"),
        ] {
            let data = data(message.as_bytes());
            assert_eq!(String::from_utf8_lossy(&data), expected, "{message:?}");
        }
    }

    proptest! {
        #[test]
        fn the_end_is_nowhere_but_at_the_end(message in "[a.\r\n]{0,30}") {
            let data = String::from_utf8(data(message.as_bytes())).expect("ASCII");
            let lines: Vec<&str> = data.split("\r\n").collect();
            let (last, body) = lines[..lines.len() - 1].split_last().expect("a line");
            prop_assert_eq!(*last, ".");
            prop_assert!(body.iter().all(|line| *line != "." && !line.contains(['\r', '\n'])));
        }
    }
}
