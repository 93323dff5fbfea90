//! The rows and cells of a text: by which characters they are separated and quoted, and which lines are no
//! rows: comments, a title above, rulers, blank ones, a total below.

use anyhow::{Result, ensure};
use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::content::LONGEST_LINE;
use super::{numbers, times};

#[derive(Debug, Clone)]
pub struct Table<'t> {
    text: &'t str,
    dialect: Dialect,
    /// The names of the columns; `None` if the first row is data.
    pub header: Option<Vec<String>>,
    /// Where the header is, or the first row.
    pub first_line: u64,
    /// Where rows begin.
    rows_from: u64,
    /// How many cells a row has, without empty ones at the end.
    pub width: usize,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub line: u64,
    /// Where it starts in the text.
    start: usize,
    cells: StringRecord,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Dialect {
    delimiter: u8,
    quote: u8,
    escape: Option<u8>,
}

/// All that is no comment, blank line or ruler, title and header included.
struct Records<'t> {
    text: &'t str,
    reader: Reader<&'t [u8]>,
    dialect: Dialect,
    line: u64,
}

/// The dialect is found in as much of the text.
const SAMPLE_BYTES: usize = 64 << 10;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

const COMMENT: u8 = b'#';

/// How a row below the table begins one of its cells.
const TOTALS: [&str; 11] = [
    "total",
    "grand total",
    "sum",
    "gesamt",
    "somme",
    "totaal",
    "suma",
    "soma",
    "average",
    "итого",
    "合计",
];

impl<'t> Table<'t> {
    pub fn new(text: &'t str) -> Result<Self> {
        let mut table = Self {
            text,
            dialect: Dialect::find(text),
            header: None,
            first_line: 1,
            rows_from: 1,
            width: 0,
        };
        let mut first = None;
        for row in table.records() {
            let row = row?;
            // Less is a title.
            let is_first = row.filled() > 1 || row.cells.iter().any(is_time);
            if is_first || first.is_none() {
                first = Some(row);
            }
            if is_first {
                break;
            }
        }
        if let Some(first) = first {
            table.first_line = first.line;
            table.rows_from = first.line;
            if first.cells.iter().any(is_time) {
                // An empty cell at the end may be the value.
                table.width = first.width().max(first.cells.len().min(2));
                table.header = table.header_in_comment(&first);
            } else {
                table.width = first.width();
                table.header = Some(first.names());
                table.rows_from += 1;
            }
        }
        table.cut_totals()?;
        Ok(table)
    }

    /// The rows below the header.
    pub fn rows(&self) -> impl Iterator<Item = Result<Row>> {
        let is_above = |row: &Row| row.line < self.rows_from;
        let rows = self.records();
        let rows = rows.filter(move |row| !row.as_ref().is_ok_and(is_above));
        rows.map(|row| row.and_then(|row| self.check_width(row)))
    }

    /// Leaves out what stands below the rows.
    fn cut_totals(&mut self) -> Result<()> {
        let mut end = None;
        for row in self.records() {
            let row = row?;
            let is_below = row.line >= self.rows_from && row.is_total();
            end = is_below.then_some(end.unwrap_or(row.start));
        }
        self.text = &self.text[..end.unwrap_or(self.text.len())];
        Ok(())
    }

    /// A column as messages call it.
    pub fn name(&self, column: usize) -> String {
        let name = self.header.as_ref().and_then(|header| header.get(column));
        let name = name.filter(|name| !name.is_empty());
        name.map_or(format!("column {}", column + 1), |name| format!("{name:?}"))
    }

    fn records(&self) -> Records<'t> {
        Records::new(self.text, self.dialect)
    }

    /// The cells of the comment right above the first row, if there are as many.
    fn header_in_comment(&self, first: &Row) -> Option<Vec<String>> {
        let above = self.text[..first.start].trim_end_matches('\n');
        let line = above
            .rsplit('\n')
            .next()?
            .strip_prefix(char::from(COMMENT))?;
        let header = Records::new(line, self.dialect).next()?.ok()?;
        (header.width() == self.width).then(|| header.names())
    }

    fn check_width(&self, row: Row) -> Result<Row> {
        let (line, length) = (row.line, row.cells.len());
        ensure!(
            length >= self.width,
            "line {line} has fewer cells than line {}: {length} for {}; is it separated by {}?",
            self.first_line,
            self.width,
            self.dialect.delimiter_name()
        );
        ensure!(
            row.width() <= self.width,
            "line {line} has more cells than line {}: {} for {}; is there {} in a number or text without quotation marks?",
            self.first_line,
            row.width(),
            self.width,
            self.dialect.delimiter_name()
        );
        Ok(row)
    }
}

impl Row {
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or_default()
    }

    /// Its cells without empty ones at the end.
    fn width(&self) -> usize {
        let empty = self.cells.iter().rev().take_while(|cell| cell.is_empty());
        self.cells.len() - empty.count()
    }

    fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.is_empty()).count()
    }

    fn names(&self) -> Vec<String> {
        self.cells
            .iter()
            .take(self.width())
            .map(str::to_string)
            .collect()
    }

    /// `+-----+-----+`, as clients of databases draw under the header.
    fn is_ruler(&self) -> bool {
        let is_drawn = |cell: &str| cell.chars().all(|letter| "-+=:|".contains(letter));
        self.cells.iter().all(is_drawn) && self.cells.iter().any(|cell| cell.contains("---"))
    }

    /// A total, or how many rows there are: `(697 rows)`.
    fn is_total(&self) -> bool {
        let is_total = |cell: &str| {
            cell.starts_with(char::is_alphabetic) && {
                let cell = cell.to_lowercase();
                TOTALS.iter().any(|total| cell.starts_with(total))
            }
        };
        let is_count = |cell: &str| {
            let count = cell.trim_start_matches('(');
            let is_number = count.starts_with(|letter: char| letter.is_ascii_digit());
            is_number && count.contains(" row") && self.filled() == 1
        };
        let mut cells = self.cells.iter();
        cells.any(|cell| is_total(cell) || is_count(cell)) && !self.cells.iter().any(is_time)
    }
}

fn is_time(cell: &str) -> bool {
    times::kind(cell).is_some()
}

impl Dialect {
    /// With which most rows have a time and a number.
    fn find(text: &str) -> Self {
        let sample = match text.get(..text.floor_char_boundary(SAMPLE_BYTES)) {
            Some(start) if start.len() < text.len() => {
                start.rfind('\n').map_or(text, |end| &text[..end])
            }
            _ => text,
        };
        let named = named_delimiter(text);
        let delimiters = named.as_slice();
        let delimiters = if delimiters.is_empty() {
            &DELIMITERS
        } else {
            delimiters
        };
        let escapes = if sample.contains("\\\"") {
            &[None, Some(b'\\')][..]
        } else {
            &[None]
        };
        let mut best = (0, Self::usual(sample, named));
        for delimiter in delimiters {
            // The other mark is an apostrophe as a rule.
            let starts = ["\n'".into(), format!("{}'", char::from(*delimiter))];
            let is_quoted = |start: &String| sample.contains(start);
            let quotes = if starts.iter().any(is_quoted) {
                &[b'"', b'\''][..]
            } else {
                b"\""
            };
            for quote in quotes {
                for escape in escapes {
                    let dialect = Self {
                        delimiter: *delimiter,
                        quote: *quote,
                        escape: *escape,
                    };
                    let score = dialect.score(sample);
                    if score > best.0 {
                        best = (score, dialect);
                    }
                }
            }
        }
        best.1
    }

    /// What a message about a file without a readable row is best about.
    fn usual(text: &str, named: Option<u8>) -> Self {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with(char::from(COMMENT)));
        let line = lines.map(str::as_bytes).find(|line| !line.is_empty());
        let is_there = |delimiter: &u8| line.is_some_and(|line| line.contains(delimiter));
        Self {
            delimiter: named
                .or(DELIMITERS.into_iter().find(is_there))
                .unwrap_or(b','),
            quote: b'"',
            escape: None,
        }
    }

    /// More for each row with a time and a number, less for each without a time.
    fn score(self, text: &str) -> i64 {
        let rows = Records::new(text, self).map_while(Result::ok);
        let score = |row: Row| {
            let Some(time) = row.cells.iter().position(is_time) else {
                return -1;
            };
            let others = || {
                row.cells
                    .iter()
                    .enumerate()
                    .filter(|(column, _)| *column != time)
            };
            if others().any(|(_, cell)| numbers::is_number(cell)) {
                2
            } else {
                i64::from(others().any(|(_, cell)| numbers::is_absent(cell)))
            }
        };
        rows.map(score).sum()
    }

    /// Whether after each quoted cell there is another one, or the end of the line.
    fn closes_quotes(self, mut text: &[u8]) -> bool {
        let mut is_start_of_cell = true;
        while let [byte, rest @ ..] = text {
            text = rest;
            if is_start_of_cell && *byte == self.quote {
                let Some(rest) = self.after_quoted(text) else {
                    return false;
                };
                text = rest;
                is_start_of_cell = false;
            } else {
                is_start_of_cell = *byte == self.delimiter || *byte == b'\n';
            }
        }
        true
    }

    /// What follows the closing quotation mark, if a cell can end there.
    fn after_quoted(self, mut text: &[u8]) -> Option<&[u8]> {
        loop {
            text = match text {
                [escape, _, rest @ ..] if Some(*escape) == self.escape => rest,
                [first, second, rest @ ..] if [*first, *second] == [self.quote; 2] => rest,
                [quote, rest @ ..] if *quote == self.quote => {
                    let next = rest.iter().find(|byte| **byte != b' ');
                    let ends = next.is_none_or(|byte| *byte == self.delimiter || *byte == b'\n');
                    return ends.then_some(rest);
                }
                [_, rest @ ..] => rest,
                [] => return None,
            };
        }
    }

    fn delimiter_name(self) -> String {
        match self.delimiter {
            b',' => "a comma".into(),
            b';' => "a semicolon".into(),
            b'\t' => "a tab".into(),
            other => format!("a {:?}", char::from(other)),
        }
    }
}

/// The one that a spreadsheet names in a first line `sep=;`.
fn named_delimiter(text: &str) -> Option<u8> {
    let line = text.lines().next()?.trim_start_matches('"');
    let start = line.get(..4)?;
    let delimiter = *line.as_bytes().get(4)?;
    let is_named = start.eq_ignore_ascii_case("sep=")
        && delimiter.is_ascii()
        && !delimiter.is_ascii_alphanumeric()
        && delimiter != b'"';
    is_named.then_some(delimiter)
}

impl<'t> Records<'t> {
    fn new(text: &'t str, dialect: Dialect) -> Self {
        let reader = ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .escape(dialect.escape)
            .comment(Some(COMMENT))
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        Self {
            text,
            reader,
            dialect,
            line: 1,
        }
    }

    fn offset(&self) -> usize {
        let offset = usize::try_from(self.reader.position().byte());
        offset.map_or(self.text.len(), |offset| offset.min(self.text.len()))
    }

    /// Of a quotation mark that is not closed, what follows would be one cell.
    fn check_quotes(&self, row: &Row, raw: &str) -> Result<()> {
        if !raw.trim_end().contains('\n') {
            return Ok(());
        }
        ensure!(
            raw.len() <= LONGEST_LINE && self.dialect.closes_quotes(raw.as_bytes()),
            "line {}: a quotation mark opens here that is not closed",
            row.line
        );
        Ok(())
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        loop {
            let mut start = self.offset();
            let mut cells = StringRecord::new();
            match self.reader.read_record(&mut cells) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => return Some(Err(error.into())),
            }
            let mut raw = &self.text[start..self.offset()];
            // The parser skips blank lines and comments on its way to a record.
            while raw.starts_with(['\n', char::from(COMMENT)]) {
                let end = raw.find('\n').map_or(raw.len(), |end| end + 1);
                start += end;
                raw = &raw[end..];
                self.line += 1;
            }
            let row = Row {
                line: self.line,
                start,
                cells,
            };
            self.line += u64::try_from(raw.matches('\n').count()).unwrap_or(u64::MAX);
            if row.filled() == 0 || row.is_ruler() {
                continue;
            }
            return Some(self.check_quotes(&row, raw).map(|()| row));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells of all rows, without those of the header.
    fn cells(text: &str) -> Vec<Vec<String>> {
        let table = Table::new(text).expect("a table");
        let rows = table.rows().map(|row| row.expect(text).names());
        rows.collect()
    }

    #[test]
    fn cells_are_found_whatever_separates_and_quotes_them() {
        let (time, note) = ("2026-11-22 10:00", "a, b; c | d\te");
        for text in [
            format!("{time},1.5,\"{note}\"\n"),
            format!("{time};1.5;\"{note}\""),
            format!("{time}\t1.5\t\"{note}\""),
            format!("{time}|1.5|\"{note}\""),
            format!("'{time}','1.5','{note}'"),
            format!("\"{time}\"; 1.5 ;\"{note}\";;\n;;\n\n# end"),
            format!("sep=|\n{time}|1.5|\"{note}\""),
            format!("sep=^\n{time}^1.5^{note}"),
            format!("Sales by hour\n\ntime,value\n---,---\n{time},1.5,"),
        ] {
            let found = cells(&text);
            let expected = [time, "1.5", note];
            let expected = &expected[..found[0].len()];
            assert_eq!(found, [expected], "{text}");
        }
        // A database escapes where a spreadsheet doubles.
        for text in [
            format!("{time},1.5,\"5\"\" a,\nb\"\n{time},2,c\n"),
            format!("{time},1.5,\"5\\\" a,\nb\"\n{time},2,c\n"),
        ] {
            assert_eq!(cells(&text)[0][2], "5\" a,\nb", "{text}");
        }
    }

    #[test]
    fn each_row_has_its_line() {
        let text = "# x\n\nt;v\n#\n2026-11-22;\"1\n\"\n\n2026-11-23;2\n2026-11-24;3;4\n";
        let table = Table::new(text).expect("a table");
        let lines = |row: Result<Row>| row.map(|row| row.line).map_err(|error| error.to_string());
        let lines: Vec<_> = table.rows().map(lines).collect();
        assert_eq!(lines[..2], [Ok(5), Ok(8)]);
        let told = "line 9 has more cells than line 3: 3 for 2; is there a semicolon in a number";
        assert!(
            lines[2]
                .as_ref()
                .is_err_and(|error| error.starts_with(told)),
            "{lines:?}"
        );
    }

    #[test]
    fn totals_end_the_table_but_only_at_its_end() {
        let rows = "t,v\n2026-11-22,1\nTotal,1\n2026-11-23,2\n";
        for end in [
            "",
            "Grand total,3\n",
            ",\nSumme:,3\n(2 rows)\n",
            ",Total 3\n",
        ] {
            let text = format!("{rows}{end}");
            let table = Table::new(&text).expect("a table");
            let rows: Vec<_> = table.rows().map(|row| row.map(|row| row.names())).collect();
            assert_eq!(rows.len(), 3, "{end}");
        }
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_is_told() {
        for text in [
            "t,v,w\n2026-11-22,1,\"x\n2026-11-23,2,y\n",
            "t,v,w\n2026-11-22,1,\"x\n2026-11-23,2,\"y\n",
        ] {
            let error = Table::new(text).expect_err("unclosed").to_string();
            assert_eq!(
                error,
                "line 2: a quotation mark opens here that is not closed"
            );
        }
    }
}
