//! `bandwatch init`: asks the database what there is to watch, and writes a configuration for it. `server` is who is
//! asked, `proposal` ranks what was found, `bucketing` finds the step, and `draft` has the text. What it says of the
//! past are the figures of a backtest. No file that is there is changed.

mod bucketing;
mod draft;
mod prompt;
mod proposal;
mod server;

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use self::bucketing::{Bucketing, rows_a_bucket};
use self::draft::Draft;
use self::prompt::Prompt;
use self::proposal::{Proposal, Wish, is_wanted, proposals, sort};
use self::server::Server;
use super::backtest::Outlook;
use super::report::{write_count, write_minute, write_seasons};
use super::{Failure, evaluate_newest};
use crate::cli::{Exit, InitArgs};
use crate::config::{Config, Deadline, Metric, Secret, Table, TimeMeaning};
use crate::detect::Answers;
use crate::output::{
    PRIVATE, print, separate_thousands, write_length, write_number, write_setting,
};
use crate::series::{Aggregate, Grid, Step};
use crate::source::catalog::{ColumnKind, ListedTable};
use crate::source::inspect::{Misreading, create_index};
use crate::source::{History, Source};

/// How long the database may be asked, each time.
const PATIENCE: Duration = Duration::from_mins(2);
/// So many proposals are shown.
const MOST_SHOWN: usize = 10;
/// The newest rows of so many tables are looked for, with so much patience.
const MOST_LOOKED_AT: usize = 24;
const PATIENCE_FOR_NEWEST: Duration = Duration::from_secs(3);
/// Without an index the newest row of a larger table takes too long.
const MOST_SCANNED: u64 = 3_000_000;
const OTHERS: u32 = 0o007;
/// Whoever owns it and the group of its folder, which has what bandwatch runs as.
const OWN_GROUP_READS: u32 = 0o640;

/// `config` is the file that `--config` names.
pub fn run(args: &InitArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    let named = args.output.as_deref().or(config);
    let path = named.unwrap_or(Path::new("config.toml"));
    check_place(path)?;
    let zone = zone(args.timezone.as_deref()).map_err(Failure::Misuse)?;
    let prompt = Prompt::here();
    let mut server = Server::new(args, prompt)?;
    let settings = server.settings().map_err(Failure::Misuse)?;
    let mut source = Source::mysql(settings, Deadline::after(PATIENCE));
    let tables = list(&mut source, &server)?;
    let mut chosen = choose(args, &tables, &mut source, prompt)?;
    find_unit(&mut chosen, &mut source)?;
    let kept = match (server.typed(), prompt) {
        (Some(secret), Some(prompt)) => Some(keep_password(path, secret, prompt)?),
        _ => None,
    };
    if let Some(file) = &kept {
        server.keep_password_in(file);
    }
    let drafted = Drafted::new(&chosen, &server, zone, args.name.as_deref());
    let written = drafted.map_err(Failure::from).and_then(|mut drafted| {
        drafted.examine(args)?;
        let text = drafted.draft.write();
        let written = write_anew(path, &text, OWN_GROUP_READS);
        written.with_context(|| format!("write {}", path.display()))?;
        Ok(drafted.summary(path))
    });
    if let (Err(_), Some(file)) = (&written, &kept) {
        let _ = fs::remove_file(file);
    }
    print(&written?)?;
    Ok(Exit::Done)
}

/// Says at once, and not after all the questions, that nothing could be written there.
fn check_place(path: &Path) -> Result<()> {
    let shown = path.display();
    ensure!(
        fs::symlink_metadata(path).is_err(),
        "{shown} is there already, and stays as it is; name another file with --output, or move it away"
    );
    let folder = folder_of(path);
    ensure!(
        folder.is_dir(),
        "{shown}: there is no directory {}; make it, or name another file with --output",
        folder.display()
    );
    Ok(())
}

fn folder_of(path: &Path) -> PathBuf {
    Path::new(".").join(path.parent().unwrap_or(Path::new("")))
}

/// The zone that is named, or else that of this machine.
fn zone(name: Option<&str>) -> Result<Tz> {
    let Some(name) = name else {
        let name = iana_time_zone::get_timezone().ok();
        return Ok(name.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC));
    };
    name.parse().map_err(|_| {
        anyhow!(
            "--timezone {name}: no time zone; allowed: a name of the IANA list, such as Europe/Paris"
        )
    })
}

/// The tables that the account may read; at least one.
fn list(source: &mut Source, server: &Server) -> Result<Vec<ListedTable>> {
    let database = source.database().context("a server")?;
    let tables = database.tables(server.database.as_deref())?;
    if tables.is_empty() {
        let account = database.greet()?.account;
        let named = server.database.as_deref();
        let place = named.map_or("any database".to_string(), |name| format!("{name:?}"));
        let example = named.unwrap_or("shop");
        let (user, host) = account.rsplit_once('@').unwrap_or((&account, "%"));
        bail!(
            "the account {account} sees no table in {place}; is there one, and may it SELECT? GRANT SELECT ON {example}.* TO '{user}'@'{host}'"
        );
    }
    Ok(tables)
}

/// What is to be watched: as the flags say, or whoever is at the terminal.
fn choose<'a>(
    args: &'a InitArgs,
    tables: &'a [ListedTable],
    source: &mut Source,
    prompt: Option<Prompt>,
) -> Result<Proposal<'a>> {
    let wish = Wish {
        table: args.table.as_deref(),
        time: args.time.as_deref(),
        value: args.value.as_deref(),
        aggregate: args.aggregate,
    };
    let mut found = proposals(tables, wish);
    if found.is_empty() {
        bail!(nothing_found(tables, wish));
    }
    look_for_newest(&mut found, source)?;
    sort(&mut found);
    let open = wish.open();
    if open.is_empty() {
        let mut names: Vec<String> = found.iter().map(|one| one.table.full_name()).collect();
        names.dedup();
        ensure!(
            names.len() == 1,
            "--table {}: there are several; allowed: {}",
            wish.table.unwrap_or_default(),
            names.join(", ")
        );
        return Ok(found.swap_remove(0));
    }
    found.truncate(MOST_SHOWN);
    let shown: Vec<String> = found.iter().map(Proposal::write).collect();
    if let Some(prompt) = prompt {
        let heading = "What to watch? (something else: --table, --time, --value)";
        return Ok(found.swap_remove(prompt.choose(heading, &shown)?));
    }
    let lines = shown.iter().zip(&found).enumerate();
    let page = lines.map(|(index, (told, proposal))| {
        format!("{:>4}  {told}\n      {}\n", index + 1, proposal.flags())
    });
    print(&page.collect::<String>())?;
    let best = found.first().map(Proposal::flags).unwrap_or_default();
    bail!(
        "{}: missing, and there is no terminal to ask on; the best of the proposals: {best}",
        open.join(", ")
    )
}

impl Wish<'_> {
    /// The flags that say what is still open.
    fn open(&self) -> Vec<&'static str> {
        let counts = self.aggregate == Some(Aggregate::Count);
        let flags = [
            ("--table", self.table.is_some()),
            ("--time", self.time.is_some()),
            (
                "--value (or --aggregate count)",
                self.value.is_some() || counts,
            ),
        ];
        let open = flags.into_iter().filter(|(_, is_set)| !is_set);
        open.map(|(flag, _)| flag).collect()
    }
}

/// Why nothing suits the wish, or nothing is worth watching.
fn nothing_found(tables: &[ListedTable], wish: Wish) -> String {
    let join = |names: Vec<String>| {
        const MOST: usize = 30;
        let more = if names.len() > MOST { ", ..." } else { "" };
        let names: Vec<String> = names.into_iter().take(MOST).collect();
        format!("{}{more}", names.join(", "))
    };
    let wanted: Vec<&ListedTable> = tables
        .iter()
        .filter(|table| is_wanted(table, wish.table))
        .collect();
    if let (Some(name), true) = (wish.table, wanted.is_empty()) {
        let names = tables.iter().map(ListedTable::full_name).collect();
        return format!(
            "--table {name}: no such table, or the account may not read it; there are: {}",
            join(names)
        );
    }
    let columns = |is_wanted: fn(ColumnKind) -> bool| {
        let columns = wanted.iter().flat_map(|table| &table.columns);
        let columns = columns.filter(|column| is_wanted(column.kind));
        let mut names: Vec<String> = columns.map(|column| column.name.clone()).collect();
        names.dedup();
        match names.as_slice() {
            [] => "there is none".to_string(),
            _ => format!("there are: {}", join(names)),
        }
    };
    let holds = |name: &str, is_wanted: fn(ColumnKind) -> bool| {
        let mut columns = wanted.iter().flat_map(|table| &table.columns);
        columns.any(|column| column.name == name && is_wanted(column.kind))
    };
    let is_time = |kind| !matches!(kind, ColumnKind::Other | ColumnKind::Fraction);
    let is_date = |kind| matches!(kind, ColumnKind::Time | ColumnKind::Date);
    match (wish.time, wish.value) {
        (Some(time), _) if !holds(time, is_time) => format!(
            "--time {time}: no column of times; allowed: a DATETIME, TIMESTAMP or DATE, or a whole number; {}",
            columns(is_date)
        ),
        (_, Some(value)) if !holds(value, ColumnKind::is_number) => format!(
            "--value {value}: no column of numbers; {}",
            columns(ColumnKind::is_number)
        ),
        _ => {
            let names = wanted.iter().map(|table| table.full_name()).collect();
            format!(
                "no column of times (DATETIME, TIMESTAMP or DATE, or a whole number that is named like one) in {}",
                join(names)
            )
        }
    }
}

/// Looks how new the rows of the best are. A table that cannot be asked in time is none the worse.
fn look_for_newest(found: &mut [Proposal], source: &mut Source) -> Result<()> {
    let database = source.database().context("a server")?;
    let now = Utc::now() + database.greet()?.clock_ahead.unwrap_or_default();
    for proposal in found.iter_mut().take(MOST_LOOKED_AT) {
        let rows = proposal.table.rows.unwrap_or(u64::MAX);
        if !proposal.time.is_indexed && rows > MOST_SCANNED {
            continue;
        }
        let table = table_of(proposal);
        let kind = proposal.time.kind;
        let newest = database.newest(&table, kind, PATIENCE_FOR_NEWEST);
        let Some(newest) = newest.ok().flatten() else {
            continue;
        };
        let seconds = if kind == ColumnKind::Whole {
            let unit = epoch_of(newest);
            proposal.meaning = unit.filter(|unit| *unit != TimeMeaning::Epoch);
            newest / unit.and_then(TimeMeaning::per_second).unwrap_or(1)
        } else {
            newest
        };
        let age = now.timestamp().checked_sub(seconds);
        proposal.note_age(age.and_then(TimeDelta::try_seconds));
    }
    Ok(())
}

/// Of a table whose newest row was not asked for, as that takes long, any row tells the unit.
fn find_unit(chosen: &mut Proposal, source: &mut Source) -> Result<()> {
    if chosen.time.kind == ColumnKind::Whole && chosen.age.is_none() {
        let database = source.database().context("a server")?;
        let unit = database.any_number(&table_of(chosen))?.and_then(epoch_of);
        chosen.meaning = unit.filter(|unit| *unit != TimeMeaning::Epoch);
    }
    Ok(())
}

/// The unit of a number since 1970, by its size: times of our days have nine digits of seconds or more.
fn epoch_of(newest: i64) -> Option<TimeMeaning> {
    let units = TimeMeaning::EPOCHS.into_iter();
    let mut units = units.filter(|unit| {
        let seconds = unit.per_second().map(|per_second| newest / per_second);
        seconds.is_some_and(|seconds| (100_000_000..100_000_000_000).contains(&seconds))
    });
    units.next()
}

fn table_of(proposal: &Proposal) -> Table {
    Table {
        name: vec![proposal.table.database.clone(), proposal.table.name.clone()],
        time_column: proposal.time.name.clone(),
        value_column: proposal.value.map(|value| value.name.clone()),
        condition: None,
        explain_by: Vec::new(),
    }
}

/// Writes a password that was typed into a file of its own.
fn keep_password(path: &Path, secret: &Secret, prompt: Prompt) -> Result<PathBuf> {
    let usual = path.with_file_name("mysql-password");
    let mut usual = Some(usual.display().to_string());
    loop {
        let question =
            "The password is kept in a file of its own, never in the configuration: which";
        let file = PathBuf::from(prompt.ask(question, usual.as_deref())?);
        // Its group may be one that many are in.
        let folder = fs::metadata(folder_of(&file)).map(|folder| folder.mode());
        let is_closed = folder.is_ok_and(|mode| (mode & OTHERS) == 0);
        let rights = if is_closed { OWN_GROUP_READS } else { PRIVATE };
        match write_anew(&file, &format!("{}\n", secret.reveal()), rights) {
            Ok(()) => return Ok(file),
            Err(error) => prompt.tell(&format!("{}: {error:#}\n", file.display()))?,
        }
        usual = None;
    }
}

/// Writes a file that is not there yet, with these rights for its owner and for the group of its folder.
fn write_anew(path: &Path, text: &str, rights: u32) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(PRIVATE);
    let mut file = options.open(path)?;
    // Whoever may not give it away keeps it. The rights are set afterwards: a umask would take from them.
    let group = fs::metadata(folder_of(path)).map(|folder| folder.gid());
    if group
        .and_then(|group| fchown(&file, None, Some(group)))
        .is_ok()
    {
        file.set_permissions(Permissions::from_mode(rights))?;
    }
    let written = file.write_all(text.as_bytes());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    Ok(written?)
}

/// The text, and the configuration that it makes.
struct Drafted<'a> {
    proposal: &'a Proposal<'a>,
    secret: Option<&'a Secret>,
    draft: Draft,
    config: Config,
    /// When its newest row was.
    newest: DateTime<Tz>,
    /// What whoever started it should know.
    told: Vec<String>,
}

impl<'a> Drafted<'a> {
    fn new(
        proposal: &'a Proposal<'a>,
        server: &'a Server,
        zone: Tz,
        name: Option<&str>,
    ) -> Result<Self> {
        let draft = Draft {
            zone,
            server: server.lines(&proposal.table.database),
            name: name.unwrap_or(&proposal.table.name).to_string(),
            table: proposal.table.name.clone(),
            time_column: proposal.time.name.clone(),
            meaning: proposal.meaning,
            value_column: proposal.value.map(|value| value.name.clone()),
            aggregate: Some(proposal.aggregate),
            step: None,
            rows: Vec::new(),
            seasons: Vec::new(),
            season_lengths: Vec::new(),
            replayed: Vec::new(),
        };
        Ok(Self {
            proposal,
            secret: server.secret(),
            config: Config::of_text(&draft.write(), server.secret())?,
            newest: Utc::now().with_timezone(&zone),
            draft,
            told: Vec::new(),
        })
    }

    fn metric(&self) -> Result<&Metric> {
        self.config.metrics.first().context("a metric")
    }

    fn now(&self) -> DateTime<Tz> {
        Utc::now().with_timezone(&self.draft.zone)
    }

    /// Reads the text anew, after it changed.
    fn reread(&mut self) -> Result<()> {
        self.config = Config::of_text(&self.draft.write(), self.secret)?;
        Ok(())
    }

    /// Looks at the rows, and at how the last weeks would have been.
    fn examine(&mut self, args: &InitArgs) -> Result<()> {
        let mut source = Source::mysql(self.config.database()?, Deadline::after(PATIENCE));
        self.find_bucketing(args, &mut source)?;
        self.look_back(args.last, &mut source)
    }

    /// Finds the step by how dense the rows are, and whether they are ready-made.
    fn find_bucketing(&mut self, args: &InitArgs, source: &mut Source) -> Result<()> {
        let (now, table) = (self.now(), self.proposal.table.full_name());
        let metric = self.metric()?;
        let database = source.database().context("a server")?;
        let density = database.density(metric, now)?;
        let time = &self.proposal.time.name;
        let density = density.with_context(|| {
            format!(
                "{table} has no row whose {time} is before now, so there is nothing to watch yet"
            )
        })?;
        let found = Bucketing::of(&density, self.proposal.value.is_some());
        let step = args.every.unwrap_or(found.step);
        if found.is_ready_made && args.aggregate.is_none() {
            self.draft.aggregate = None;
        }
        self.draft.step = Some(step);
        let rows = separate_thousands(&density.rows.to_string());
        let newest = density.times.first().copied().unwrap_or(now);
        let mut told = vec![format!(
            "{rows} rows in the four weeks up to the newest one, of {}.",
            write_minute(newest)
        )];
        if !found.is_ready_made {
            let usual = write_number(rows_a_bucket(&density, step).round());
            told.push(format!(
                "About {usual} rows a bucket, in hours that have any."
            ));
        }
        if !self.proposal.time.is_indexed {
            let index = create_index(&table_of(self.proposal));
            told.push(format!("There is no index on {time}: {index}"));
        }
        self.newest = newest;
        self.told.clone_from(&told);
        self.draft.rows = told;
        self.reread()?;
        let misreading = database.misreading(self.metric()?, now)?;
        if misreading == Some(Misreading::UtcReadAsLocal) {
            self.draft.meaning = Some(TimeMeaning::Utc);
            let told = format!("The newest rows are of now by the clock of UTC: {time} has that.");
            self.told.push(told.clone());
            self.draft.rows.push(told);
            self.newest = now;
            self.reread()?;
        }
        self.note_newest(step)
    }

    /// Says so where a check would find no data.
    fn note_newest(&mut self, step: Step) -> Result<()> {
        let age = self.now() - self.newest;
        if self.metric()?.may_be_stale(age, step.mean_length()) || age > TimeDelta::days(30) {
            let length = write_length(age);
            self.told.push(format!(
                "The newest row is {length} old: a check would say that there is no data."
            ));
        }
        Ok(())
    }

    /// Reads the history, and replays the last of it.
    fn look_back(&mut self, last: Duration, source: &mut Source) -> Result<()> {
        let metric = self.metric()?.clone();
        let step = self.draft.step.context("a step")?;
        let now = self.now();
        // Where rows ended long ago, as of then.
        let grid = Grid::new(step, self.newest);
        let closed = grid.instant(grid.slot(self.newest) + 1) + metric.delay(step);
        let as_of = closed.min(now);
        let history = source.history(&metric, Some(last), as_of)?;
        self.note_seasons(&metric, &history);
        let told = match Outlook::new(&metric, &history, last) {
            Ok(outlook) => write_outlook(&outlook),
            Err(error) => vec![format!("Nothing could be replayed yet: {error:#}.")],
        };
        self.told.extend(told.iter().cloned());
        self.draft.replayed = told;
        self.reread()
    }

    fn note_seasons(&mut self, metric: &Metric, history: &History) {
        let window = history.latest(metric);
        let evaluation = evaluate_newest(window, metric, &Answers::default());
        let told = match &evaluation {
            Ok(evaluation) => {
                let workings = evaluation.workings.as_deref();
                let forecast = workings.and_then(|workings| workings.forecast.as_ref());
                match (forecast, evaluation.reason()) {
                    (Some(forecast), _) => {
                        let lengths = forecast.seasons.iter();
                        let lengths = lengths.filter_map(|one| one.length.length().to_std().ok());
                        self.draft.season_lengths = lengths.map(write_setting).collect();
                        format!("Found from the data: {}.", write_seasons(&forecast.seasons))
                    }
                    (None, Some(reason)) => format!("Undecided yet: {reason}."),
                    (None, None) => return,
                }
            }
            Err(error) => format!("Undecided yet: {error:#}."),
        };
        self.told.push(told.clone());
        self.draft.seasons = vec![told];
    }

    /// What was done, and what is next.
    fn summary(&self, path: &Path) -> String {
        let path = path.display();
        let draft = &self.draft;
        let what = match (&draft.value_column, draft.aggregate) {
            (Some(value), Some(aggregate)) => format!("{} of {value}", aggregate.word()),
            (Some(value), None) => value.clone(),
            (None, _) => "count of rows".to_string(),
        };
        let every = draft
            .step
            .map_or(String::new(), |step| format!(" every {step}"));
        let table = self.proposal.table.full_name();
        let told = self.told.iter().map(|told| format!("  {told}\n"));
        let told: String = told.collect();
        format!(
            "wrote {path}: {what}{every} of {table}\n{told}next: fill in [smtp], and see what would be mailed: bandwatch --config {path} --dry-run\n"
        )
    }
}

/// What a backtest says, a sentence each.
fn write_outlook(outlook: &Outlook) -> Vec<String> {
    let length = write_length(outlook.length);
    let per_week = |rate: f64| write_number((rate * 10.0).round() / 10.0);
    let coverage = outlook.coverage.map_or(String::new(), |share| {
        let percent = write_number((share * 1000.0).round() / 10.0);
        format!(" {percent} % of the values lay inside the band.")
    });
    let counted = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", write_count(count)),
    };
    let mut told = vec![format!(
        "{} mails a week in the last {length}, replayed: {}, {}.{coverage}",
        per_week(outlook.mails_per_week),
        counted(outlook.mails, "mail"),
        counted(outlook.incidents, "incident")
    )];
    told.extend(outlook.excess.as_ref().map(|excess| {
        format!(
            "That is more than the budget, unless they were true: \"{}\" would have meant {} incidents a week.",
            excess.stricter,
            per_week(excess.stricter_per_week)
        )
    }));
    let outage = outlook.outage.iter().map(|told| {
        let mut letters = told.chars();
        let first = letters
            .next()
            .map(|letter| letter.to_uppercase().to_string());
        format!("{}{}.", first.unwrap_or_default(), letters.as_str())
    });
    told.extend(outage);
    told
}
