//! `thrash model runtime`: the ONNX Runtime library that is used, and how to get one.

use std::fmt::Write;

use clap::Args;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::config::Config;
use crate::reference::{EngineError, RuntimeFacts, Variant, Wheel, fetch};

/// What to do about the library.
#[derive(Debug, Args)]
pub(super) struct RuntimeArgs {
    /// Fetch it from its Python package (no Python needed): cpu, cuda12 or cuda13
    #[arg(long, value_name = "BUILD", num_args = 0..=1, default_missing_value = "cpu")]
    fetch: Option<Variant>,
}

pub(super) async fn runtime(config: &Config, args: &RuntimeArgs, output: Output) -> Result<Exit, Failure> {
    if let Some(variant) = args.fetch {
        get(config, variant, output).await?;
    }
    let options = config.runtime();
    let mut text = String::new();
    let exit = match options.open() {
        Ok(facts) => {
            let _ = writeln!(text, "{}", used(&facts));
            Exit::Passed
        }
        Err(EngineError::NoRuntime { tried, .. }) => {
            text.push_str("no ONNX Runtime library can be used; models run in rten, which is slower\n");
            for attempt in tried {
                let _ = writeln!(text, "  {attempt}");
            }
            text.push('\n');
            if config.settings.reference.runtime.is_some() {
                text.push_str(
                    "`reference.runtime` or ORT_DYLIB_PATH names it, and nothing else is tried: unset it\n",
                );
                Exit::Usage
            } else {
                text.push_str(&ways(config));
                // After fetching one, that is a failure; else it is only how things are.
                if args.fetch.is_some() { Exit::TargetFailed } else { Exit::Passed }
            }
        }
        Err(error) => {
            let _ = writeln!(text, "{error}");
            Exit::Passed
        }
    };
    output.show(&text)?;
    Ok(exit)
}

fn used(facts: &RuntimeFacts) -> String {
    let built = match (facts.cuda, facts.tensorrt) {
        (true, true) => "the processor, CUDA and TensorRT",
        (true, false) => "the processor and CUDA",
        (false, _) => "the processor",
    };
    let card = if facts.cuda {
        "\nwhether a card can be used: `thrash model check --device cuda`"
    } else {
        "\nfor an NVIDIA card: `thrash model runtime --fetch cuda13` (or cuda12)"
    };
    format!("ONNX Runtime {} for {built}\n{}{card}", facts.version, facts.path.display())
}

/// Every way to get a library.
fn ways(config: &Config) -> String {
    let mut text = String::from("three ways to get one:\n");
    for variant in Variant::ALL {
        if let Some(wheel) = Wheel::here(variant) {
            let name = variant.as_str();
            let what = format!("{} {}, {} MB", wheel.project, wheel.version, wheel.megabytes);
            let _ = writeln!(text, "  thrash model runtime --fetch {name:<6}   {what}");
        }
    }
    let folder = config.runtime_folder();
    let _ = writeln!(text, "    puts it into {}", folder.display());
    text.push_str("  pip install onnxruntime                in the Python environment that is active\n");
    text.push_str("  ORT_DYLIB_PATH=FILE                    names a library, 1.24 or newer\n");
    text
}

async fn get(config: &Config, variant: Variant, output: Output) -> Result<(), Failure> {
    let Some(wheel) = Wheel::here(variant) else {
        let message = format!("there is no build `{}` of ONNX Runtime for this machine", variant.as_str());
        return Err(Failure::usage(message, "`thrash model runtime` lists those that there are"));
    };
    if let Some(library) = &config.settings.reference.runtime {
        let message = format!("`reference.runtime` names `{}`, and nothing else is used", library.display());
        return Err(Failure::usage(message, "unset it, or ORT_DYLIB_PATH, and fetch again"));
    }
    output.note(format!("fetching {} {} ({} MB)", wheel.project, wheel.version, wheel.megabytes));
    let folder = config.runtime_folder();
    let names = fetch(&wheel, &config.package_index(), &folder).await?;
    output.note(format!("{} in {}", names.join(", "), folder.display()));
    if variant != Variant::Cpu {
        output.note(
            "CUDA's own libraries come with the driver's toolkit, or by `pip install \"onnxruntime-gpu[cuda,cudnn]\"`",
        );
    }
    Ok(())
}
