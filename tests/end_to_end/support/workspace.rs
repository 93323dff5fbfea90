//! One directory in which the product's binary is run as cron would run it:
//! almost no environment, no standard input, and never for longer than a
//! deadline.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::leash;

/// A run that takes longer hangs, and fails its test.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// A time limit for a setting that must not be what ends a run: longer than the deadline above.
pub const LONG: &str = "10m";

/// A home and working directory for runs of the binary.
pub struct Workspace {
    directory: TempDir,
}

/// What one run did.
#[derive(Debug)]
pub struct Run {
    /// The exit status; 128 and the signal when one ended it, as in a shell.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    pub elapsed: Duration,
}

impl Workspace {
    pub fn new() -> Self {
        Self {
            directory: leash::new_directory("workspace-"),
        }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes `config.toml`, over the one of before.
    pub fn config(&self, text: &str) -> PathBuf {
        let file = self.path().join("config.toml");
        std::fs::write(&file, text).expect("a file in the scratch directory");
        file
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[])
    }

    /// Runs the binary with these variables on top of PATH, HOME and a place
    /// for its memory, which are all it has.
    #[track_caller]
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        self.run_program(bandwatch(), arguments, variables, DEADLINE)
    }

    /// What is run then; what it prints goes nowhere unless somebody wants it.
    pub fn command(
        &self,
        program: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("XDG_STATE_HOME", self.path().join("state"))
            .envs(variables.iter().copied())
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// The same with another program and deadline.
    #[track_caller]
    pub fn run_program(
        &self,
        program: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
        deadline: Duration,
    ) -> Run {
        // Files, not pipes: a file never fills up, and does not stay open
        // because a grandchild holds it.
        let mut stdout = output_file();
        let mut stderr = output_file();
        let begun = Instant::now();
        let mut child = self
            .command(program, arguments, variables)
            .stdout(stdout.try_clone().expect("a second handle of a file"))
            .stderr(stderr.try_clone().expect("a second handle of a file"))
            .spawn()
            .expect("the program starts");

        let ended = wait_until(begun + deadline, &mut child);
        let elapsed = begun.elapsed();
        let run = Run {
            status: ended.map_or(-1, shell_status),
            stdout: contents(&mut stdout),
            stderr: contents(&mut stderr),
            elapsed,
        };
        assert!(
            ended.is_some(),
            "{} {arguments:?} was still running after {deadline:?}\n{}",
            program.display(),
            run.printed()
        );
        run
    }
}

/// The binary.
pub fn bandwatch() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_bandwatch"))
}

impl Run {
    #[track_caller]
    pub fn assert_status(&self, expected: i32) {
        assert_eq!(
            self.status,
            expected,
            "unexpected exit status\n{}",
            self.printed()
        );
    }

    #[track_caller]
    pub fn assert_never_prints(&self, secret: &str) {
        assert!(!secret.is_empty(), "everything prints the empty text");
        for (name, output) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            assert!(
                !output.contains(secret),
                "the secret {secret:?} is on {name}\n{}",
                self.printed()
            );
        }
    }

    pub fn printed(&self) -> String {
        format!(
            "--- status {}, after {:?}\n--- stdout:\n{}\n--- stderr:\n{}",
            self.status, self.elapsed, self.stdout, self.stderr
        )
    }
}

/// Says something that is seen whether the test passes or not; what is printed as usual is not.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Waits until something is so, no longer than for a run.
#[track_caller]
pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < DEADLINE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The status of a process that ended in time; one that did not is killed.
fn wait_until(deadline: Instant, child: &mut Child) -> Option<ExitStatus> {
    loop {
        let ended = child.try_wait().expect("the state of a child process");
        if ended.is_some() {
            return ended;
        }
        if Instant::now() > deadline {
            child.kill().expect("a child process can be killed");
            child.wait().expect("a killed process ends");
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn shell_status(status: ExitStatus) -> i32 {
    let signal = || 128 + status.signal().expect("ended by itself or by a signal");
    status.code().unwrap_or_else(signal)
}

/// Has no name, so it is not among the files of the workspace.
fn output_file() -> File {
    tempfile::tempfile_in(leash::scratch_directory()).expect("a temporary file")
}

fn contents(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind()
        .and_then(|()| file.read_to_end(&mut bytes))
        .expect("what the binary printed");
    String::from_utf8_lossy(&bytes).into_owned()
}
