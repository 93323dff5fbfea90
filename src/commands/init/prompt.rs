//! Questions to whoever sits at the terminal. They are asked on standard error: standard output is for what comes
//! of them.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context, Result, ensure};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::output::escape;

/// What Ctrl-C is where it is no signal.
const INTERRUPT: char = '\x03';

/// A terminal with somebody at it.
#[derive(Debug, Clone, Copy)]
pub struct Prompt(());

impl Prompt {
    /// `None` where nobody could answer, as under cron.
    pub fn here() -> Option<Self> {
        let is_there = io::stdin().is_terminal() && io::stderr().is_terminal();
        is_there.then_some(Self(()))
    }

    /// The answer, or what is usual if that is empty.
    pub fn ask(self, question: &str, usual: Option<&str>) -> Result<String> {
        loop {
            let hint = usual.map_or(String::new(), |usual| format!(" [{usual}]"));
            self.tell(&format!("{question}{hint}: "))?;
            let answer = self.line()?;
            match (answer.trim(), usual) {
                (answer, _) if !answer.is_empty() => return Ok(answer.to_string()),
                (_, Some(usual)) => return Ok(usual.to_string()),
                (_, None) => {}
            }
        }
    }

    /// The answer, which the terminal does not show; it may be empty.
    pub fn ask_hidden(self, question: &str) -> Result<String> {
        self.tell(&format!("{question}: "))?;
        let shown = tcgetattr(io::stdin()).context("the terminal")?;
        let mut hidden = shown.clone();
        // Without signals: one would end the program, and leave a terminal that shows nothing.
        hidden
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Now, &hidden).context("the terminal")?;
        let answer = self.line();
        tcsetattr(io::stdin(), OptionalActions::Now, &shown).context("the terminal")?;
        self.tell("\n")?;
        let answer = answer?;
        ensure!(
            !answer.contains(INTERRUPT),
            "interrupted; nothing was written"
        );
        Ok(answer)
    }

    /// The index of the entry that is chosen by its number; the first is usual.
    pub fn choose(self, heading: &str, entries: &[String]) -> Result<usize> {
        self.tell(&format!("{heading}\n"))?;
        for (index, entry) in entries.iter().enumerate() {
            self.tell(&format!("{:>4}  {entry}\n", index + 1))?;
        }
        loop {
            let answer = self.ask("Number", Some("1"))?;
            let number = answer.parse::<usize>().ok();
            let chosen = number.and_then(|number| number.checked_sub(1));
            match chosen.filter(|index| *index < entries.len()) {
                Some(index) => return Ok(index),
                None => self.tell(&format!("Allowed: 1 to {}\n", entries.len()))?,
            }
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "only who has a terminal tells it anything"
    )]
    pub fn tell(self, text: &str) -> Result<()> {
        let lines: Vec<String> = text.split('\n').map(escape).collect();
        let mut terminal = io::stderr().lock();
        terminal.write_all(lines.join("\n").as_bytes())?;
        terminal.flush()?;
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "only who has a terminal hears from it")]
    fn line(self) -> Result<String> {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line)?;
        ensure!(read > 0, "no answer came; nothing was written");
        Ok(line.trim_end_matches(['\n', '\r']).to_string())
    }
}
