//! A bare goose program: users who send one small request over and over and look at nothing in the answer. What the users
//! of a load scenario cost is measured beside it, by `benches/load.py cost`.
//!
//! `cargo bench --bench goose -- URL USERS SECONDS`; the last word that it prints is how many requests it sent.

#![expect(clippy::print_stdout, reason = "the script reads it")]

use std::sync::Arc;

use goose::GooseAttack;
use goose::config::GooseConfiguration;
use goose::goose::{GooseUser, Scenario, Transaction, TransactionFunction};

/// What `benches/load.py` has the others send.
const BODY: &str = r#"{"message": "I cannot go on like this any more", "id": "p-1"}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    // `cargo test --all-targets` starts benchmarks without any.
    let [url, users, seconds] = arguments.as_slice() else { return Ok(()) };
    let mut configuration = GooseConfiguration::default();
    configuration.host = Some(url.clone());
    configuration.users = Some(users.parse()?);
    configuration.increase_rate = Some("1000".to_owned());
    configuration.run_time = Some(seconds.clone());
    configuration.quiet = 2;
    configuration.no_print_metrics = true;
    configuration.no_reset_metrics = true;
    configuration.no_telnet = true;
    let ask: TransactionFunction = Arc::new(|user: &mut GooseUser| {
        Box::pin(async move {
            let sent = user.post("/analyze", BODY).await?;
            // Unread, it would cost the connection.
            if let Ok(response) = sent.response {
                let _ = response.bytes().await;
            }
            Ok(())
        })
    });
    let attack = GooseAttack::initialize_with_config(configuration)?
        .register_scenario(Scenario::new("bare").register_transaction(Transaction::new(ask)));
    // One thread, as the process has that sends for our own users.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let metrics = runtime.block_on(attack.execute())?;
    let requests: usize =
        metrics.requests.values().map(|request| request.success_count + request.fail_count).sum();
    println!("requests {requests}");
    Ok(())
}
