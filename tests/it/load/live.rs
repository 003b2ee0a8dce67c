//! What is seen of a load while it goes on.

use super::{ms, place, record, right, run};
use crate::support::server::Server;

#[test]
fn percentiles_are_told_while_the_load_goes_on_and_are_those_of_the_record() {
    // One in ten is slow: p95 and p99 are told from p50.
    let server = Server::start(|seen| right(seen).after(ms(if seen.number % 10 == 9 { 300 } else { 40 })));
    let place = place("model: arrivals\nrate: 50/s\nduration: 5s\ngates: [error_rate <= 1%]\n");
    let told = run(&place, &server, &[]).exits(0).stderr;
    // Without a terminal: `3 s: 50/s, 4 on their way, p50 41 p95 302 p99 303 ms, 100 % right`.
    let line = told.lines().find(|line| line.contains(" p50 ")).expect(&told);
    let (end, rest) = line.split_once(" s: ").expect(line);
    let end: f64 = end.parse().expect(line);
    let words: Vec<&str> = rest.split([' ', ',']).collect();
    let told = ["p50", "p95", "p99"].map(|name| -> f64 {
        let at = words.iter().position(|word| *word == name).expect(line);
        words[at + 1].parse().expect(line)
    });
    let record = record(&place);
    let seconds = record["load"]["seconds"].as_array().unwrap();
    let known = seconds.iter().find(|second| second["at_s"].as_f64() == Some(end - 1.0)).expect(line);
    for (told, name) in told.into_iter().zip(["p50_ms", "p95_ms", "p99_ms"]) {
        let known = known[name].as_f64().unwrap();
        assert!((told - known).abs() <= 0.5, "{name} {known}: {line}");
        // One second of an even load is like all of it, give or take what this machine is busy with.
        let all = record["latency"][name].as_f64().unwrap();
        assert!((told - all).abs() < 150.0, "{name} of all is {all}: {line}");
    }
    let [p50, p95, p99] = told;
    assert!((40.0..250.0).contains(&p50) && p95 >= 300.0 && p99 >= p95, "{line}");
}
