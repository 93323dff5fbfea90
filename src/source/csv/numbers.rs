//! What a column of numbers means. `1.234` may be one and a bit or a thousand and more, so the whole column
//! decides which is the decimal mark; where even that leaves both, it is refused. All cells must have the
//! same unit.

use crate::source::file_rows::shown;
use anyhow::{Context, Result, bail, ensure};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DecimalMark {
    Point,
    Comma,
}

const MARKS: [DecimalMark; 2] = [DecimalMark::Point, DecimalMark::Comma];

/// Blanks and apostrophes that set thousands apart, whatever the decimal mark.
const THOUSANDS_MARKS: [char; 6] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '’'];

/// A cell, taken apart.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Written<'t> {
    Absent,
    /// By its own word: `NaN`, `inf`.
    NotFinite(f64),
    Number {
        body: &'t str,
        is_negative: bool,
        /// A sign or code of a currency, or a percent sign.
        unit: &'t str,
    },
}

/// How the cells seen so far are written.
#[derive(Debug, Clone)]
pub struct NumberColumn {
    /// The marks with which all cells are numbers.
    marks: Vec<DecimalMark>,
    /// Of cells that are another number with a decimal point than with a decimal comma, the first with
    /// a point and the first with a comma.
    two_ways: [Option<String>; 2],
    /// The first cell, and its unit.
    first: Option<(String, String)>,
    /// Whether some number of five digits or more does not set thousands apart.
    has_plain_thousands: bool,
}

/// How to read each cell of a column.
#[derive(Debug, Clone, Copy)]
pub struct NumberFormat(DecimalMark);

/// Whether a cell is a number with one decimal mark or the other.
pub fn is_number(text: &str) -> bool {
    match Written::parse(text) {
        Some(Written::Number { body, .. }) => MARKS.iter().any(|mark| mark.read(body).is_some()),
        Some(Written::NotFinite(_)) => true,
        _ => false,
    }
}

pub fn is_absent(text: &str) -> bool {
    matches!(Written::parse(text), Some(Written::Absent))
}

impl Default for NumberColumn {
    fn default() -> Self {
        Self {
            marks: MARKS.to_vec(),
            two_ways: [None, None],
            first: None,
            has_plain_thousands: false,
        }
    }
}

impl NumberColumn {
    /// Takes in a cell; one that fits no way in which all cells before it can be read is an error.
    pub fn learn(&mut self, text: &str) -> Result<()> {
        let written = Written::parse(text).with_context(|| not_a_number(text))?;
        let Written::Number { body, unit, .. } = written else {
            return Ok(());
        };
        let numbers = MARKS.map(|mark| mark.read(body));
        if numbers == [None; 2] {
            bail!(not_a_number(text));
        }
        let is_read = |mark: &DecimalMark| mark.read(body).is_some();
        let before = self.marks.clone();
        self.marks.retain(is_read);
        if let ([], [mark]) = (&self.marks[..], &before[..]) {
            bail!(
                "{} has not {}, as the numbers before it do; write all numbers in one way",
                shown(text),
                mark.name()
            );
        }
        if let [Some(point), Some(comma)] = numbers
            && point.to_bits() != comma.to_bits()
        {
            let mark = usize::from(body.contains(','));
            self.two_ways[mark].get_or_insert_with(|| text.to_string());
        }
        self.has_plain_thousands |= body.bytes().take_while(u8::is_ascii_digit).count() > 4;
        let first = self
            .first
            .get_or_insert((text.to_string(), unit.to_string()));
        ensure!(
            first.1 == unit,
            "{} has not the unit of {}; write all numbers with the same one, or without",
            shown(text),
            shown(&first.0)
        );
        Ok(())
    }

    /// The one way in which all cells can be read.
    pub fn format(&self) -> Result<NumberFormat> {
        let [mark, _] = self.marks[..] else {
            let mark = self.marks.first().copied();
            return Ok(NumberFormat(mark.unwrap_or(DecimalMark::Point)));
        };
        // Who sets thousands apart does so in all numbers, of five digits at the latest.
        match (&self.two_ways, self.has_plain_thousands) {
            ([None, None], _) => Ok(NumberFormat(mark)),
            ([Some(_), None], true) => Ok(NumberFormat(DecimalMark::Point)),
            ([None, Some(_)], true) => Ok(NumberFormat(DecimalMark::Comma)),
            ([Some(text), _] | [_, Some(text)], _) => bail!(
                "{} may have decimals or thousands set apart, and so may every other number; write numbers without marks for thousands, and with one decimal or two",
                shown(text)
            ),
        }
    }
}

impl NumberFormat {
    /// `None` where there is no value.
    pub fn read(self, text: &str) -> Result<Option<f64>> {
        let read = || match Written::parse(text)? {
            Written::Absent => Some(None),
            Written::NotFinite(value) => Some(Some(value)),
            Written::Number {
                body, is_negative, ..
            } => {
                let size = self.0.read(body)?;
                Some(Some(if is_negative { -size } else { size }))
            }
        };
        read().with_context(|| not_a_number(text))
    }
}

fn not_a_number(text: &str) -> String {
    format!(
        "{} is not a number; allowed: such as 1843.2, or nothing where there is no value",
        shown(text)
    )
}

impl<'t> Written<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "" | "null" | "na" | "n/a" | "none" | "nil" | "\\n" | "-" | "--" | "–" | "—"
            | "(null)" | "<null>" | "#n/a" | "#div/0!" | "#value!" | "#ref!" | "#name?"
            | "#num!" | "#null!" => return Some(Self::Absent),
            word if word.contains("nan") || word.contains("inf") => {
                return word.parse().ok().map(Self::NotFinite);
            }
            _ => {}
        }
        // A spreadsheet's text: ="1843.2", '1843.2.
        let text = text
            .strip_prefix("=\"")
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text);
        let text = text.strip_prefix('\'').unwrap_or(text);
        let bookkept = text
            .strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'));
        let (text, first_minus) = without_sign(bookkept.unwrap_or(text));
        let (text, prefix) = without_prefix(text);
        let (text, suffix) = without_suffix(text);
        let (text, second_minus) = without_sign(text);
        let (body, last_minus) = match text.strip_suffix(['-', '−']) {
            Some(body) => (body.trim_end(), true),
            None => (text, false),
        };
        let minuses = [bookkept.is_some(), first_minus, second_minus, last_minus];
        let minuses = minuses.iter().filter(|is_there| **is_there).count();
        let has_one_unit = prefix.is_empty() || suffix.is_empty();
        (has_one_unit && minuses <= 1).then_some(Self::Number {
            body,
            is_negative: minuses == 1,
            unit: if prefix.is_empty() { suffix } else { prefix },
        })
    }
}

/// Whether it had a minus.
fn without_sign(text: &str) -> (&str, bool) {
    let minus = text.strip_prefix(['-', '−']);
    let rest = minus.or_else(|| text.strip_prefix('+')).unwrap_or(text);
    (rest.trim_start(), minus.is_some())
}

/// The rest, and the currency it begins with. A code before digits must be set apart: `SKU1001` is none.
fn without_prefix(text: &str) -> (&str, &str) {
    let is_number = |letter: char| letter.is_ascii_digit() || "+-−.,".contains(letter);
    let (start, rest) = match text.find(is_number) {
        // The point of "kr. 5".
        Some(place) if text[place..].starts_with(". ") => text.split_at(place + 1),
        Some(place) => text.split_at(place),
        None => return (text, ""),
    };
    let unit = start.trim_end();
    let is_apart = unit.len() < start.len() || !unit.ends_with(char::is_alphabetic);
    if is_apart && is_currency(unit) {
        (rest, unit)
    } else {
        (text, "")
    }
}

/// The rest, and the currency or percent sign it ends with.
fn without_suffix(text: &str) -> (&str, &str) {
    let is_number = |letter: char| letter.is_ascii_digit() || "-−".contains(letter);
    let Some((place, last)) = text.char_indices().rfind(|(_, letter)| is_number(*letter)) else {
        return (text, "");
    };
    let (rest, end) = text.split_at(place + last.len_utf8());
    let unit = end.trim_start();
    let is_unit = matches!(unit, "%" | "‰") || is_currency(unit);
    if is_unit { (rest, unit) } else { (text, "") }
}

/// A sign (`€`, `R$`, `¥`), a code of ISO 4217 (`EUR`), or a short name that spreadsheets write.
fn is_currency(text: &str) -> bool {
    const SHORT: [&str; 12] = [
        "kr", "kr.", "zł", "Kč", "Ft", "lei", "Fr", "Fr.", "Rs", "Rs.", "лв.", "руб.",
    ];
    let is_sign = |letter: char| matches!(letter, '$' | '¢'..='¥' | '\u{20a0}'..='\u{20cf}' | '฿' | '元' | '円');
    let letters = text.chars().count();
    (text.ends_with(is_sign) && letters <= 3)
        || (letters == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()))
        || SHORT.contains(&text)
}

impl DecimalMark {
    fn name(self) -> &'static str {
        match self {
            Self::Point => "a decimal point",
            Self::Comma => "a decimal comma",
        }
    }

    /// A number without sign and unit: `1,843.20` with a point is `1.843,20` with a comma.
    fn read(self, text: &str) -> Option<f64> {
        let (mark, other) = match self {
            Self::Point => ('.', ','),
            Self::Comma => (',', '.'),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once(mark).unwrap_or((mantissa, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let has_digits = !(whole.is_empty() && fraction.is_empty());
        if !has_digits || !digits(fraction) || exponent.parse::<i32>().is_err() {
            return None;
        }
        if digits(whole) {
            return format!("0{whole}.{fraction}0e{exponent}").parse().ok();
        }
        let is_thousands_mark =
            |letter: &char| *letter == other || THOUSANDS_MARKS.contains(letter);
        let thousands_mark = whole.chars().find(is_thousands_mark)?;
        let groups: Vec<&str> = whole.split(thousands_mark).collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        let (last, others) = lengths.split_last()?;
        let (first, middle) = others.split_first()?;
        // India groups by two before the last three.
        let is_western = (1..=3).contains(first) && middle.iter().all(|length| *length == 3);
        let is_indian = thousands_mark == ','
            && (1..=2).contains(first)
            && middle.iter().all(|length| *length == 2);
        let is_grouped = *last == 3 && (is_western || is_indian) && !whole.starts_with('0');
        let whole = groups.concat();
        let number = format!("{whole}.{fraction}0e{exponent}");
        number.parse().ok().filter(|_| is_grouped && digits(&whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cells: &[&str]) -> Result<Vec<Option<f64>>> {
        let mut column = NumberColumn::default();
        for cell in cells {
            column.learn(cell)?;
        }
        let format = column.format()?;
        cells.iter().map(|cell| format.read(cell)).collect()
    }

    fn refusal(cells: &[&str]) -> String {
        format!("{:#}", read(cells).expect_err("refused"))
    }

    #[test]
    fn a_number_is_read_as_spreadsheets_and_databases_write_it() {
        for text in [
            "1001.5",
            "1001,5",
            "1,001.50",
            "1.001,50",
            "1 001,5",
            "1\u{a0}001,5",
            "1\u{202f}001,5",
            "1'001.5",
            "1’001,5",
            "+1001.5",
            "1.0015e3",
            "1,0015E+03",
            "=\"1001.5\"",
            "'1001.5",
            "$1,001.50",
            "R$ 1.001,50",
            "€1001.5",
            "1.001,50 €",
            "1\u{a0}001,50\u{a0}€",
            "EUR 1001.5",
            "1001.5 EUR",
            "kr. 1.001,50",
            "1 001,50 kr",
            "1001.5%",
            "1001,5 %",
            "CHF 1’001.50",
        ] {
            assert_eq!(read(&[text]).expect(text), [Some(1001.5)], "{text}");
        }
        for text in [
            "-1001.5",
            "−1001,5",
            "1001.5-",
            "(1,001.50)",
            "-$1001.50",
            "$-1001.50",
            "($1,001.50)",
            "-1.001,50 €",
        ] {
            assert_eq!(read(&[text]).expect(text), [Some(-1001.5)], "{text}");
        }
        for (text, value) in [
            ("12,34,567.5", 1_234_567.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("0.125", 0.125),
            ("0,125", 0.125),
            ("007", 7.0),
        ] {
            assert_eq!(read(&[text]).expect(text), [Some(value)], "{text}");
        }
    }

    #[test]
    fn a_value_that_is_absent_or_not_finite_is_none_or_itself() {
        for text in ["", "NULL", "\\N", "n/a", "None", "-", "#N/A", "#DIV/0!"] {
            assert_eq!(read(&[text]).expect(text), [None], "{text}");
        }
        for text in ["NaN", "inf", "-Infinity", "1e999"] {
            let values = read(&[text]).expect(text);
            assert!(
                values
                    .iter()
                    .all(|value| value.is_some_and(|value| !value.is_finite())),
                "{text}"
            );
        }
    }

    #[test]
    fn the_whole_column_tells_the_decimal_mark() {
        for (cells, values) in [
            (["1.234", "5,5"], [1234.0, 5.5]),
            (["1,234", "5.5"], [1234.0, 5.5]),
            (["1.234", "0.125"], [1.234, 0.125]),
            (["1.234", "12345"], [1.234, 12345.0]),
            (["1,234", "12345"], [1.234, 12345.0]),
        ] {
            assert_eq!(
                read(&cells).expect("numbers"),
                values.map(Some),
                "{cells:?}"
            );
        }
        for cells in [["1.234", "615"], ["1,234", "2,345"]] {
            let told = format!("{:?} may have decimals or thousands set apart", cells[0]);
            let error = refusal(&cells);
            assert!(error.starts_with(&told), "{error}");
        }
    }

    #[test]
    fn a_column_that_is_written_in_two_ways_is_refused() {
        for (cells, told) in [
            (
                ["1001.89", "1001,89"],
                "\"1001,89\" has not a decimal point, as the",
            ),
            (
                ["1.001,89", "1,001.89"],
                "\"1,001.89\" has not a decimal comma",
            ),
            (["5 €", "5 $"], "\"5 $\" has not the unit of \"5 €\""),
            (["5", "5%"], "\"5%\" has not the unit of \"5\""),
        ] {
            let error = refusal(&cells);
            assert!(error.starts_with(told), "{error}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "abc",
            "1.2k",
            "12:30",
            "2026-11-22",
            "0x10",
            "1.2.3",
            "1,2,3",
            "1,23,4",
            "1 00",
            "1..5",
            "1,,5",
            "--5",
            "(-5)",
            "5-5",
            "SKU1001",
            "1_000",
            "e5",
            "5e",
            "€",
            ".",
            ",",
            "$ 5 €",
            "####",
            "infinite",
        ] {
            let error = refusal(&[text]);
            assert!(
                error.contains("is not a number; allowed: such as"),
                "{text}: {error}"
            );
        }
    }
}
