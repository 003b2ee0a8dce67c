//! How fast the reference model is: loads one, asks it about the lines of a file again and again, and prints a line of
//! JSON. `benches/reference.py` starts it beside Python's ONNX Runtime.
//!
//! `cargo bench --bench reference -- MODEL|builtin auto|ort|rten DEVICE THREADS BATCH ORDER FILE SECONDS`
//!
//! ORDER is how batches are made: `bucketed` of texts of like length, as in the program; `arrival` of texts as they come, cut
//! where that saves padding; `longest` of texts as they come, padded to the longest one.

#![expect(clippy::print_stdout, reason = "the script reads it")]

use std::time::{Duration, Instant};

use thrash::reference::{Model, ModelSource, ReferenceOptions, RuntimeOptions};

fn main() {
    // Cargo adds one of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [model, engine, device, threads, batch, order, file, seconds] = arguments.as_slice() else {
        // As a bench among others it has nothing to say.
        return;
    };
    let options = ReferenceOptions {
        model: match model.as_str() {
            "builtin" => ModelSource::Builtin,
            path => ModelSource::Path(path.into()),
        },
        engine: engine.parse().expect("an engine"),
        device: device.parse().expect("a device"),
        threads: threads.parse().expect("a number of threads"),
        batch: Some(batch.parse().expect("a size of batches")),
        is_unsorted: order == "longest",
        runtime: RuntimeOptions {
            library: std::env::var_os("ORT_DYLIB_PATH").map(Into::into),
            folders: Vec::new(),
        },
    };
    let text = std::fs::read_to_string(file).expect("a file of lines");
    let texts: Vec<&str> = text.lines().collect();
    let for_so_long = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let mut model = Model::load(&options).unwrap_or_else(|error| panic!("{}", error.explained()));

    // In the order of arrival the program is given no more than one batch at a time.
    let together = if order == "arrival" { model.facts().batch } else { texts.len() };
    let (mut rates, mut texts_seen) = (Vec::new(), 0.0);
    let (begun, busy) = (Instant::now(), busy());
    let mut levels = Vec::new();
    while rates.len() < 3 || begun.elapsed() < for_so_long {
        let pass = Instant::now();
        levels.clear();
        for texts in texts.chunks(together) {
            levels.extend(model.opinions(texts).expect("opinions").into_iter().map(|opinion| opinion.level));
        }
        let count = f64::from(u32::try_from(texts.len()).expect("few"));
        rates.push(count / pass.elapsed().as_secs_f64());
        texts_seen += count;
    }
    let busy = self::busy().zip(busy).map(|(now, before)| now - before);
    rates.sort_by(f64::total_cmp);
    let facts = model.facts();
    let levels: String = levels.iter().map(|level| level.index().to_string()).collect();
    let report = serde_json::json!({
        "engine": facts.engine,
        "device": facts.device.as_str(),
        "nodes": facts.placement,
        "load_ms": facts.loaded_in.as_secs_f64() * 1e3,
        "median": rates[rates.len() / 2],
        // What others do on the machine changes this one least.
        "per_cpu_second": busy.map(|seconds| texts_seen / seconds),
        "passes": rates.len(),
        "resident_mib": memory("VmRSS"),
        "peak_mib": memory("VmHWM"),
        "levels": levels,
    });
    println!("{report}");
}

/// A figure of this process's memory in MiB; none where the system does not tell.
fn memory(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
}

/// Seconds that this process has computed; none where the system does not tell.
fn busy() -> Option<f64> {
    let about = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may hold anything: the 12th and 13th are ticks, 100 a second on every Linux.
    let numbers = about.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
    Some(numbers.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0)
}
