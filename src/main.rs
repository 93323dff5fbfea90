//! The binary: does what the command line asks for.

fn main() -> bandwatch::Exit {
    bandwatch::run_command_line()
}
