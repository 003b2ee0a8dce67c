//! `thrash model pull`: a model from a hub, at one commit.

use clap::Args;

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::config::Config;
use crate::reference::{Hub, HubModel, pull};

/// Which model, from where.
#[derive(Debug, Args)]
pub(super) struct PullArgs {
    /// The repository at a commit, all 40 digits of it
    #[arg(value_name = "OWNER/NAME@COMMIT")]
    model: HubModel,
    /// Another ONNX file of it, such as `onnx/model_fp16.onnx`
    #[arg(long, value_name = "NAME")]
    file: Option<String>,
    /// Another hub (else `HF_ENDPOINT`, else huggingface.co)
    #[arg(long, value_name = "URL")]
    hub: Option<String>,
}

pub(super) async fn run(config: &Config, args: &PullArgs, output: Output) -> Result<Exit, Failure> {
    let offline = config.variable("HF_HUB_OFFLINE").filter(|word| !["", "0"].contains(&word.as_str()));
    if offline.is_some() {
        return Err(Failure::usage(
            "HF_HUB_OFFLINE forbids it",
            "unset it, or copy the folder here by other means",
        ));
    }
    let hub = Hub { url: config.hub(args.hub.as_deref()), token: config.hub_token() };
    let tell = |text: String| output.note(text);
    let pulled = pull(&hub, &args.model, args.file.as_deref(), &config.models_folder(), &tell).await?;
    output.note(match pulled.fetched {
        0 => "all of it was there already".to_owned(),
        fetched => format!("{fetched} of {} bytes were fetched, and every file has its hash", pulled.bytes),
    });
    let model = if args.file.is_some() { pulled.folder.join(&pulled.model) } else { pulled.folder };
    output.note(format!("`thrash model check {0}` tries it, `--reference {0}` asks it", model.display()));
    output.print(&format!("{}\n", model.display()))?;
    Ok(Exit::Passed)
}
