//! `bandwatch create-tables`: makes the tables of the state. No other command makes or changes any.

use anyhow::anyhow;

use super::Failure;
use crate::cli::{CreateTablesArgs, Exit};
use crate::context::Context;
use crate::output::print;
use crate::state::{Place, create_tables, statements_of_tables};

pub fn run(context: &Context, args: &CreateTablesArgs) -> Result<Exit, Failure> {
    if args.dry_run {
        print(&statements_of_tables())?;
        return Ok(Exit::Done);
    }
    let place = context.state_place().map_err(Failure::Misuse)?;
    let told = format!("the state is kept in {place}\n");
    let Place::Tables(tables) = place else {
        let why = anyhow!(
            "state: it is kept in files; allowed: state = \"mysql\", or a table [state] with the server"
        );
        return Err(Failure::Misuse(why));
    };
    context.deadline.enforce();
    create_tables(tables.servers, tables.deadline)?;
    print(&told)?;
    Ok(Exit::Done)
}
