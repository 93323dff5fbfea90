//! `bandwatch backtest`: history replayed through the very code a check runs, and summed up. `replay`
//! judges the points, `summary` counts what came of them (`coverage`, `incident`, `hint`), and
//! `text`, `table`, `json` and `picture` tell it. All is computed before anything is told.

mod coverage;
mod hint;
mod incident;
mod json;
mod picture;
mod plan;
mod point;
mod replay;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod text;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cli::{BacktestArgs, BacktestFormat, Exit};
use crate::commands::outcome::{complain, print};
use crate::output::write_whole;
use crate::source::Source;
use plan::BacktestPlan;
use replay::Replay;
use summary::Summary;

pub fn run(args: &BacktestArgs) -> Exit {
    let prepared = match BacktestPlan::prepare(args) {
        Ok(prepared) => prepared,
        Err(error) => {
            complain(&error);
            return Exit::Misused;
        }
    };
    let name = prepared.plan.metric.name.clone();
    match backtest(&prepared.plan, prepared.source).context(name) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&error);
            Exit::Failed
        }
    }
}

fn backtest(plan: &BacktestPlan, mut source: Source) -> Result<()> {
    let archive = source.history(&plan.metric, plan.last, plan.now)?;
    let observations = plan.choose(&archive)?;
    let replay = Replay::of(&archive, &observations, plan)?;
    let summary = Summary::of(&replay, plan.metric.method.direction);
    let drawn = draw(plan, &replay);
    let told = match plan.format {
        BacktestFormat::Text => {
            let picture = drawn.as_ref().ok().and_then(|path| path.as_deref());
            text::write(&replay, &summary, plan, picture)
        }
        BacktestFormat::Csv => table::write(&replay),
        BacktestFormat::Json => json::write(&replay, &summary, plan)?,
    };
    print(&told)?;
    drawn.map(drop)
}

/// Draws the picture if one is wanted, and says where it is.
fn draw(plan: &BacktestPlan, replay: &Replay) -> Result<Option<PathBuf>> {
    let Some(path) = &plan.plot else {
        return Ok(None);
    };
    let picture = picture::draw(replay, &plan.metric)?;
    write_whole(path, &picture).with_context(|| format!("--plot: write {}", path.display()))?;
    Ok(Some(path.clone()))
}
