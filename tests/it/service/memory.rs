//! How much memory it keeps.

#![cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]

use std::time::{Duration, Instant};

use serde_json::json;

use super::process::{Serve, quick_place};
use crate::support::command::Place;

/// What the C library sets apart for an arena beside the first one, and where such a piece begins.
const HEAP: u64 = 64 << 20;

/// How many kilobytes of its heap are there.
fn heap(process: u32) -> u64 {
    let maps = std::fs::read_to_string(format!("/proc/{process}/smaps")).expect("its memory");
    let heap = maps.split_once("[heap]").expect("a heap").1;
    let resident = heap.lines().find_map(|line| line.strip_prefix("Rss:")).expect("its size");
    resident.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// How many arenas there are beside the first one: each has a piece of its own, of which the first part is in use.
fn arenas(process: u32) -> usize {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).expect("its memory");
    let pieces: Vec<(u64, u64, &str)> = maps
        .lines()
        .filter_map(|line| {
            let (place, rest) = line.split_once(' ')?;
            let (begin, end) = place.split_once('-')?;
            let number = |text| u64::from_str_radix(text, 16).ok();
            Some((number(begin)?, number(end)?, rest.split(' ').next()?))
        })
        .collect();
    assert!(pieces.len() > 10, "{maps}");
    let is_arena = |two: &&[(u64, u64, &str)]| {
        let ((begin, middle, used), (rest, end, unused)) = (two[0], two[1]);
        begin % HEAP == 0 && middle == rest && end == begin + HEAP && (used, unused) == ("rw-p", "---p")
    };
    pieces.windows(2).filter(is_arena).count()
}

#[tokio::test]
async fn what_a_run_needed_is_not_kept_for_each_thread() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let id = serve.ask().await;
    serve.over(&id).await;
    assert_eq!(arenas(serve.id()), 0);
}

#[tokio::test]
async fn what_a_run_of_the_whole_suite_needed_is_given_back() {
    // With the reference model, whose numbers are large while they are worked on.
    let place = Place::new();
    let serve = Serve::start(&place, &[]);
    let asked = serve.post("/api/test/run", &json!({"test_type": "comprehensive"})).await.is(202).json();
    serve.over(asked["id"].as_str().expect("an id")).await;
    let start = Instant::now();
    while heap(serve.id()) > 17 << 10 {
        assert!(start.elapsed() < Duration::from_mins(1), "still {} kB", heap(serve.id()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
