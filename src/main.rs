//! The command line of thrash.

fn main() -> std::process::ExitCode {
    thrash::cli::main()
}
