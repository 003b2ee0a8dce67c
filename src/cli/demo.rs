//! `thrash demo`.

use super::args::DemoArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::signals;
use crate::demo::{DemoOptions, demo as serve};
use crate::dispatch::DispatchError;

/// Runs the demo detector until it is stopped.
pub(super) async fn demo(args: &DemoArgs, output: Output) -> Result<Exit, Failure> {
    let options = DemoOptions { listen: args.listen, behaviour: args.behaviour(), ..DemoOptions::default() };
    let ready = |demo: &crate::demo::Demo| {
        // On stdout, so that a script can read the address of port 0.
        let _ = output.print(&format!("{}\n", demo.url()));
        output.note("the demo detector speaks the contract of ash-v5; Ctrl-C stops it");
    };
    let counts = serve(options, ready, signals::stop()).await.map_err(DispatchError::from)?;
    output.note(format!("answered {} requests", counts.analyze + counts.batch));
    Ok(Exit::Passed)
}
