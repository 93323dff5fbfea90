//! Which of many series a row belongs to: the values of its key columns. A key is written on one line of
//! bounded length, from which it can be read back: `{country=DE,product="a, b"}`.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use crate::output::fingerprint::digest;

/// The values of the key columns of one series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey(Vec<KeyPart>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPart {
    pub column: String,
    /// `None`: NULL. Of a longer one its beginning and its mark, see [`SeriesKey::LONGEST_VALUE`].
    pub value: Option<String>,
}

/// A value as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// In quotation marks: just that.
    Quoted(String),
    Plain(String),
}

/// How NULL is written. A text of these letters stands in quotation marks.
pub const NULL: &str = "NULL";

impl SeriesKey {
    /// A longer value is known by so many of its first characters, and after them its mark.
    pub const LONGEST_VALUE: usize = 60;
    /// The letters of a mark, hexadecimal.
    pub const MARK: usize = 16;

    pub fn new<'a>(
        columns: impl IntoIterator<Item = &'a String>,
        values: impl IntoIterator<Item = Option<String>>,
    ) -> Self {
        let parts = columns.into_iter().cloned().zip(values);
        Self(
            parts
                .map(|(column, value)| KeyPart { column, value })
                .collect(),
        )
    }

    /// A value as a key has it: of a longer one its beginning and its mark, which a server makes alike (SHA-2).
    pub fn known_value(value: &str) -> Cow<'_, str> {
        match value.char_indices().nth(Self::LONGEST_VALUE) {
            None => Cow::Borrowed(value),
            Some((end, _)) => {
                let mark: String = digest(value).chars().take(Self::MARK).collect();
                Cow::Owned(format!("{}{mark}", &value[..end]))
            }
        }
    }

    pub fn parts(&self) -> &[KeyPart] {
        &self.0
    }

    /// `{store_id=42}`
    pub fn write(&self) -> String {
        let parts = self.0.iter();
        let parts = parts.map(|part| {
            let value = write_value(part.value.as_deref());
            format!("{}={value}", part.column)
        });
        format!("{{{}}}", parts.collect::<Vec<_>>().join(","))
    }

    /// As a title has it: `store 42`, or `country DE, product A`.
    pub fn in_words(&self) -> String {
        let parts = self.0.iter();
        let parts = parts.map(|part| {
            let column = part.column.strip_suffix("_id").unwrap_or(&part.column);
            let value = write_value(part.value.as_deref());
            format!("{} {value}", column.replace('_', " "))
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    /// Reads a key of these columns as it is written; `None` if it is none.
    pub fn parse(text: &str, columns: &[String]) -> Option<Self> {
        let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
        let mut values = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                rest = rest.strip_prefix(',')?;
            }
            rest = rest.strip_prefix(column.as_str())?.strip_prefix('=')?;
            let written;
            (written, rest) = read_value(rest)?;
            values.push(match written {
                Written::Plain(text) if text == NULL => None,
                Written::Plain(text) | Written::Quoted(text) => Some(text),
            });
        }
        rest.is_empty().then(|| Self::new(columns, values))
    }
}

/// Reads a value from the beginning of a text, up to a comma or the end; and what is left.
pub fn read_value(text: &str) -> Option<(Written, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (!value.contains('"')).then(|| (Written::Plain(value.to_string()), rest));
    };
    let mut letters = quoted.chars().peekable();
    let mut value = String::new();
    let rest = loop {
        match letters.next()? {
            '"' => break letters.collect::<String>().len(),
            '\\' => value.push(escaped(&mut letters)?),
            letter => value.push(letter),
        }
    };
    let rest = &text[text.len() - rest..];
    let marked = rest.strip_prefix('~').and_then(|rest| {
        let (mark, rest) = (rest.get(..SeriesKey::MARK)?, rest.get(SeriesKey::MARK..)?);
        let is_mark = mark.bytes().all(|letter| letter.is_ascii_hexdigit());
        is_mark.then(|| (format!("{value}{mark}"), rest))
    });
    let (value, rest) = marked.unwrap_or((value, rest));
    Some((Written::Quoted(value), rest))
}

fn escaped(letters: &mut Peekable<Chars>) -> Option<char> {
    Some(match letters.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            letters.next_if_eq(&'{')?;
            let mut code = 0_u32;
            loop {
                match letters.next()? {
                    '}' => break char::from_u32(code)?,
                    digit => code = code.checked_mul(16)? + digit.to_digit(16)?,
                }
            }
        }
        letter => letter,
    })
}

/// A plain word as it is; anything else in quotation marks, with what cannot be seen written out.
pub fn write_value(value: Option<&str>) -> String {
    let Some(value) = value else {
        return NULL.to_string();
    };
    let is_plain = |letter: char| letter.is_alphanumeric() || "_-.:/+@# ".contains(letter);
    let longest = value.char_indices().nth(SeriesKey::LONGEST_VALUE);
    let is_trimmed = value.trim() == value && !value.is_empty();
    if value.chars().all(is_plain) && is_trimmed && longest.is_none() && value != NULL {
        return value.to_string();
    }
    let (begin, mark) = match longest {
        Some((end, _)) => (&value[..end], format!("~{}", &value[end..])),
        None => (value, String::new()),
    };
    let letters = begin.chars().map(|letter| match letter {
        '"' | '\\' => format!("\\{letter}"),
        '\n' => "\\n".to_string(),
        '\r' => "\\r".to_string(),
        '\t' => "\\t".to_string(),
        letter if is_invisible(letter) => format!("\\u{{{:x}}}", u32::from(letter)),
        letter => letter.to_string(),
    });
    format!("\"{}\"{mark}", letters.collect::<String>())
}

/// What moves a cursor, breaks a line, turns the writing around or shows nothing.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || (letter.is_whitespace() && letter != ' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn columns() -> Vec<String> {
        vec!["country".to_string(), "product".to_string()]
    }

    fn key(country: Option<&str>, product: Option<&str>) -> SeriesKey {
        let values = [country, product].map(|value| value.map(str::to_string));
        SeriesKey::new(&columns(), values)
    }

    #[test]
    fn a_key_is_one_line_that_tells_its_values_apart() {
        for (product, written) in [
            (Some("A"), "A"),
            (Some("Käse 12"), "Käse 12"),
            (None, "NULL"),
            (Some("NULL"), "\"NULL\""),
            (Some(""), "\"\""),
            (Some(" A"), "\" A\""),
            (Some("a,b=c}"), "\"a,b=c}\""),
            (Some("a\"b\\c\nd"), "\"a\\\"b\\\\c\\nd\""),
            (Some("\u{202e}🍎"), "\"\\u{202e}🍎\""),
        ] {
            let key = key(Some("DE"), product);
            assert_eq!(key.write(), format!("{{country=DE,product={written}}}"));
            assert_eq!(SeriesKey::parse(&key.write(), &columns()), Some(key));
        }
    }

    #[test]
    fn a_long_value_is_shown_by_its_beginning_and_its_mark() {
        let value = format!("{}0123456789abcdef", "籠".repeat(60));
        let key = key(Some("DE"), Some(&value));
        let written = key.write();
        assert!(written.ends_with("籠\"~0123456789abcdef}"), "{written}");
        assert_eq!(SeriesKey::parse(&written, &columns()), Some(key));
    }

    #[test]
    fn what_is_no_key_of_these_columns_is_refused() {
        for text in [
            "",
            "{}",
            "{country=DE}",
            "{product=A,country=DE}",
            "{country=DE,product=A",
            "{country=DE,product=\"A}",
            "{country=DE,product=A,x=1}",
            "{country=\"\\u{d800}\",product=A}",
            "{country=\"\\u{fffffffff}\",product=A}",
        ] {
            assert_eq!(SeriesKey::parse(text, &columns()), None, "{text}");
        }
    }

    #[test]
    fn a_title_has_the_columns_in_words() {
        let key = SeriesKey::new(&["store_id".to_string()], [Some("42".to_string())]);
        assert_eq!(key.in_words(), "store 42");
    }

    proptest! {
        #[test]
        fn every_value_is_read_back(first in ".{0,60}", second in proptest::option::of(".{0,60}")) {
            let key = key(Some(&first), second.as_deref());
            let written = key.write();
            prop_assert!(!written.contains(char::is_control));
            prop_assert_eq!(SeriesKey::parse(&written, &columns()), Some(key));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let _ = SeriesKey::parse(&text, &columns());
            let _ = SeriesKey::parse(&format!("{{country={text}}}"), &columns()[..1]);
        }
    }
}
