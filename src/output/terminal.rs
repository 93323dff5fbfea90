//! What people read in a terminal: lines that are too long go on under the text they belong to, and a verdict
//! has a colour, unless `NO_COLOR` is set (no-color.org). Nothing of this is done for a file or a pipe, unless
//! colours are asked for.

use std::env::var_os;
use std::io::{IsTerminal, stdout};
use std::sync::OnceLock;

use anyhow::Result;

use super::escape;
use super::print::write_out;

/// A colour of the terminal's own, which is readable on its background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Blue,
    Orange,
    Grey,
}

/// Whether there are colours at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColourChoice {
    /// In a terminal that has some, unless `NO_COLOR` is set.
    #[default]
    WhereWanted,
    Always,
    Never,
}

/// The same for all that a process prints.
static COLOUR_CHOICE: OnceLock<ColourChoice> = OnceLock::new();

/// Chooses it, once.
pub fn colour_output(choice: ColourChoice) {
    let _ = COLOUR_CHOICE.set(choice);
}

/// A word that has a colour where it stands after a name at the begin of a line.
pub type Painted = (&'static str, Colour);

#[derive(Debug, Clone, Copy)]
struct Terminal {
    columns: usize,
    is_coloured: bool,
}

const FEWEST_COLUMNS: usize = 40;
/// A text that begins farther to the right is no column.
const FARTHEST_COLUMN: usize = 34;

/// Prints a page for people, as [`print`](super::print()) does where nobody looks on.
pub fn print_page(text: &str, painted: &[Painted]) -> Result<()> {
    let terminal = Terminal::of_stdout();
    let lines = text.split('\n').map(escape);
    let lines = lines.map(|line| match terminal {
        Some(terminal) => terminal.lay_out(&line, painted),
        None => line,
    });
    write_out(&lines.collect::<Vec<_>>().join("\n"))
}

impl Terminal {
    fn of_stdout() -> Option<Self> {
        let choice = COLOUR_CHOICE.get().copied().unwrap_or_default();
        if !stdout().is_terminal() {
            return (choice == ColourChoice::Always).then_some(Self {
                columns: usize::MAX,
                is_coloured: true,
            });
        }
        let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let is_set = |name: &str| var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = var_os("TERM").is_some_and(|kind| kind == "dumb");
        Some(Self {
            columns: columns.unwrap_or(usize::MAX).max(FEWEST_COLUMNS),
            is_coloured: match choice {
                ColourChoice::WhereWanted => !is_set("NO_COLOR") && !is_dumb,
                ColourChoice::Always => true,
                ColourChoice::Never => false,
            },
        })
    }

    fn lay_out(self, line: &str, painted: &[Painted]) -> String {
        let mut lines = self.wrap(line).into_iter();
        let first = lines.next().unwrap_or_default();
        let first = if self.is_coloured {
            paint(&first, painted)
        } else {
            first
        };
        std::iter::once(first)
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The line in pieces that fit, all but the first under its text.
    fn wrap(self, line: &str) -> Vec<String> {
        if line.chars().count() <= self.columns {
            return vec![line.to_string()];
        }
        let indent = text_column(line);
        let mut lines = Vec::new();
        let mut rest = line;
        loop {
            let begin = if lines.is_empty() { 0 } else { indent };
            let room = self.columns - begin;
            let Some((end, _)) = rest.char_indices().nth(room) else {
                lines.push(format!("{:begin$}{rest}", ""));
                return lines;
            };
            // A blank may stand just after what fits. The first line has more than its indent.
            let least = if lines.is_empty() { indent } else { 0 };
            let fitting = rest.get(..=end).filter(|text| text.ends_with(' '));
            let fitting = fitting.unwrap_or(&rest[..end]);
            let cut = fitting
                .rfind(' ')
                .filter(|place| rest[..*place].chars().count() > least);
            let cut = cut.unwrap_or(end);
            lines.push(format!("{:begin$}{}", "", rest[..cut].trim_end()));
            rest = rest[cut..].trim_start();
        }
    }
}

/// Where the text of a line begins: after its indent, and after a heading with two blanks or more behind it.
fn text_column(line: &str) -> usize {
    let letters: Vec<char> = line.chars().take(FARTHEST_COLUMN).collect();
    let own = letters.iter().take_while(|letter| **letter == ' ').count();
    let is_begin =
        |place: &usize| letters[place - 2..*place] == [' ', ' '] && letters[*place] != ' ';
    let mut columns = (own + 3..letters.len()).filter(is_begin);
    columns.next_back().unwrap_or(own + 2)
}

fn paint(line: &str, painted: &[Painted]) -> String {
    let found = painted.iter().find_map(|(word, colour)| {
        let place = line.find(&format!("  {word}"))? + 2;
        let after = line[place + word.len()..].chars().next();
        let is_whole = after.is_none_or(|letter| letter == ' ');
        (is_whole && !line.starts_with(' ')).then_some((place, *word, *colour))
    });
    let Some((place, word, colour)) = found else {
        return line.to_string();
    };
    let code = match colour {
        Colour::Blue => "1;34",
        Colour::Orange => "1;38;5;208",
        Colour::Grey => "1;90",
    };
    let (before, after) = (&line[..place], &line[place + word.len()..]);
    format!("{before}\u{1b}[{code}m{word}\u{1b}[0m{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERDICTS: [Painted; 2] = [("HIGH", Colour::Blue), ("LOW", Colour::Orange)];

    fn laid_out(line: &str, columns: usize) -> Vec<String> {
        let terminal = Terminal {
            columns,
            is_coloured: false,
        };
        let text = terminal.lay_out(line, &VERDICTS);
        text.lines().map(str::to_string).collect()
    }

    #[test]
    fn a_long_line_goes_on_under_its_text() {
        let line = "  seasons     1 d: 80 %, by the share of the ups and downs that turns explain";
        assert_eq!(
            laid_out(line, 40),
            [
                "  seasons     1 d: 80 %, by the share of",
                "              the ups and downs that",
                "              turns explain",
            ]
        );
        assert_eq!(laid_out(line, 100), [line]);
        let words = "  mailed to nobody in particular, and to everybody";
        assert_eq!(
            laid_out(words, 40),
            ["  mailed to nobody in particular, and to", "    everybody"]
        );
        let one = "x".repeat(90);
        assert_eq!(laid_out(&one, 40).concat().replace(' ', ""), one);
    }

    #[test]
    fn a_verdict_has_a_colour_where_one_is_wanted() {
        let terminal = |is_coloured| Terminal {
            columns: 80,
            is_coloured,
        };
        let line = "sales  LOW  12 at 14:05 CET";
        let painted = terminal(true).lay_out(line, &VERDICTS);
        assert_eq!(
            painted,
            "sales  \u{1b}[1;38;5;208mLOW\u{1b}[0m  12 at 14:05 CET"
        );
        assert_eq!(terminal(false).lay_out(line, &VERDICTS), line);
        for plain in ["  told  LOW  12", "sales  LOWER  12", "sales  NORMAL  12"] {
            assert_eq!(terminal(true).lay_out(plain, &VERDICTS), plain);
        }
    }
}
