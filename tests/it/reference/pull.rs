//! `thrash model pull`: from a hub that a test plays.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::support::fixture;
use crate::support::command::{Ended, Place};
use crate::support::server::{Reply, Seen, Server};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const MODEL: &str = "me/tiny@0123456789abcdef0123456789abcdef01234567";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The files of a tiny model, as a repository has them.
fn files() -> Vec<(String, Vec<u8>)> {
    let read = |name: &str| std::fs::read(fixture("classify").join(name)).expect("the file");
    let names = ["config.json", "thrash.yaml", "tokenizer.json", "model.onnx"];
    names.map(|name| (name.to_owned(), read(name))).to_vec()
}

/// What the hub lists of a file: of an ONNX file the SHA-256, of others git's hash.
fn entry(name: &str, bytes: &[u8]) -> Value {
    let blob = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
    let mut entry =
        json!({"type": "file", "oid": hex(&Sha1::digest(blob)), "size": bytes.len(), "path": name});
    if name.contains(".onnx") {
        entry["oid"] = json!("0".repeat(40));
        entry["lfs"] = json!({"oid": hex(&Sha256::digest(bytes)), "size": bytes.len(), "pointerSize": 131});
    }
    entry
}

/// The part of a file that a request asks for.
fn ranged(seen: &Seen, bytes: &[u8]) -> Reply {
    let from =
        seen.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match from {
        None => Reply::answer(200, &[("content-type", "application/octet-stream")], bytes),
        Some(from) if from >= bytes.len() => Reply::answer(416, &[], ""),
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            Reply::answer(206, &[("content-range", &range)], &bytes[from..])
        }
    }
}

/// The same, cut off after so many bytes.
fn cut_off(seen: &Seen, bytes: &[u8], after: usize) -> Reply {
    let from = seen
        .header("range")
        .map_or(0, |range| range["bytes=".len()..range.len() - 1].parse().expect("a number"));
    let (status, more) = match from {
        0 => (200, String::new()),
        _ => (206, format!("content-range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len())),
    };
    let head =
        format!("HTTP/1.1 {status} Some Words\r\n{more}content-length: {}\r\n\r\n", bytes.len() - from);
    let end = bytes.len().min(from + after);
    Reply::raw(head).then(&bytes[from..end]).then_close()
}

/// A hub with these files; what it gives of one of them is for the test to say.
fn hub_with(
    files: Vec<(String, Vec<u8>)>,
    list: Value,
    give: impl Fn(&Seen, &str, &[u8]) -> Reply + Send + Sync + 'static,
) -> Server {
    Server::start(move |seen| {
        if seen.path == format!("/api/models/me/tiny/tree/{COMMIT}?recursive=true") {
            return Reply::json(200, &list);
        }
        if seen.path == "/api/models/me/tiny/revision/main" {
            return Reply::json(200, &json!({"id": "me/tiny", "sha": COMMIT}));
        }
        let name = seen.path.strip_prefix(&format!("/me/tiny/resolve/{COMMIT}/"));
        match files.iter().find(|(known, _)| Some(known.as_str()) == name) {
            Some((name, bytes)) => give(seen, name, bytes),
            None => Reply::answer(404, &[], "Entry not found"),
        }
    })
}

fn list(files: &[(String, Vec<u8>)]) -> Value {
    let mut list = vec![json!({"type": "directory", "oid": "1".repeat(40), "size": 0, "path": "onnx"})];
    list.extend(files.iter().map(|(name, bytes)| entry(name, bytes)));
    Value::Array(list)
}

fn hub(give: impl Fn(&Seen, &str, &[u8]) -> Reply + Send + Sync + 'static) -> Server {
    hub_with(files(), list(&files()), give)
}

fn pull(place: &Place, server: &Server, more: &[&str]) -> Ended {
    let url = server.url();
    place.thrash(["model", "pull", MODEL, "--hub", &url].iter().chain(more))
}

fn folder(place: &Place) -> PathBuf {
    place.data().join("models/me--tiny@0123456789ab")
}

/// The files of the folder, hidden ones left out.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

fn asked_for_files(server: &Server) -> Vec<Seen> {
    server.requests().into_iter().filter(|seen| seen.path.contains("/resolve/")).collect()
}

#[track_caller]
fn is_whole(place: &Place) {
    for (name, bytes) in files() {
        assert!(
            std::fs::read(folder(place).join(&name)).expect("the file") == bytes,
            "{name} is another one"
        );
    }
    assert_eq!(names(&folder(place)).len(), files().len(), "nothing is left over");
}

#[test]
fn a_model_is_pulled_once_and_can_be_used() {
    let place = Place::new();
    let server = hub(|seen, _, bytes| ranged(seen, bytes));
    let ended = pull(&place, &server, &[]).exits(0);
    assert_eq!(ended.stdout.trim(), folder(&place).display().to_string());
    is_whole(&place);
    place.thrash(["model", "info", ended.stdout.trim(), "--engine", "rten"]).exits(0);
    // The ONNX file is the last one: once it is there, so is everything that it needs.
    let asked = asked_for_files(&server);
    assert!(asked.last().is_some_and(|seen| seen.path.ends_with("/model.onnx")));
    assert_eq!(asked.len(), files().len());
    pull(&place, &server, &[]).exits(0).complains(&["all of it was there already"]);
    assert_eq!(asked_for_files(&server).len(), files().len(), "nothing was fetched twice");
}

#[test]
fn what_is_cut_off_goes_on_where_it_stopped() {
    let place = Place::new();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let server = hub(move |seen, name, bytes| {
        if name != "model.onnx" {
            return ranged(seen, bytes);
        }
        let at = counted.fetch_add(1, Ordering::SeqCst);
        if at < 3 { cut_off(seen, bytes, bytes.len() / 4) } else { ranged(seen, bytes) }
    });
    let size = files().pop().expect("the model").1.len();
    pull(&place, &server, &[]).exits(0);
    is_whole(&place);
    let ranges: Vec<Option<String>> = asked_for_files(&server)
        .iter()
        .filter(|seen| seen.path.ends_with("/model.onnx"))
        .map(|seen| seen.header("range").map(str::to_owned))
        .collect();
    let quarter = size / 4;
    let from = |at: usize| Some(format!("bytes={at}-"));
    assert_eq!(ranges, [None, from(quarter), from(2 * quarter), from(3 * quarter)]);
}

#[test]
fn a_later_pull_goes_on_too() {
    let place = Place::new();
    let broken = hub(|seen, name, bytes| match name {
        "model.onnx" if seen.header("range").is_none() => cut_off(seen, bytes, 1000),
        "model.onnx" => Reply::answer(503, &[], ""),
        _ => ranged(seen, bytes),
    });
    pull(&place, &broken, &[]).exits(3).complains(&["503", "pull again to go on"]);
    assert!(!folder(&place).join("model.onnx").exists(), "no half a model");
    let server = hub(|seen, _, bytes| ranged(seen, bytes));
    pull(&place, &server, &[]).exits(0).complains(&["model.onnx: goes on at 1000 of"]);
    is_whole(&place);
    let asked = asked_for_files(&server);
    assert_eq!(asked.iter().map(|seen| seen.header("range")).collect::<Vec<_>>(), [Some("bytes=1000-")]);
}

#[test]
fn a_hub_that_knows_no_ranges_is_asked_for_the_whole() {
    let place = Place::new();
    std::fs::create_dir_all(folder(&place)).expect("the folder");
    std::fs::write(folder(&place).join("model.onnx.part"), &files()[3].1[..500]).expect("a part");
    let server = hub(|_, _, bytes| Reply::answer(200, &[], bytes));
    pull(&place, &server, &[]).exits(0);
    is_whole(&place);
}

#[test]
fn what_an_earlier_pull_left_wrong_is_thrown_away() {
    let place = Place::new();
    std::fs::create_dir_all(folder(&place)).expect("the folder");
    let size = files()[3].1.len();
    for part in [vec![7; 500], vec![7; size], vec![7; size + 9]] {
        std::fs::write(folder(&place).join("model.onnx.part"), part).expect("a part");
        let _ = std::fs::remove_file(folder(&place).join("model.onnx"));
        let server = hub(|seen, _, bytes| ranged(seen, bytes));
        pull(&place, &server, &[]).exits(0);
        is_whole(&place);
    }
}

#[test]
fn wrong_bytes_are_not_kept() {
    for broken in ["model.onnx", "config.json"] {
        let place = Place::new();
        let server = hub(move |seen, name, bytes| {
            let mut bytes = bytes.to_vec();
            if name == broken {
                bytes[3] ^= 1;
            }
            ranged(seen, &bytes)
        });
        let ended = pull(&place, &server, &[]).exits(3).complains(&[broken, "it was not kept"]);
        assert_eq!(ended.stdout, "");
        assert!(
            names(&folder(&place)).iter().all(|name| !name.starts_with(broken)),
            "{:?}",
            names(&folder(&place))
        );
    }
    let place = Place::new();
    let server = hub(|seen, _, bytes| ranged(seen, &[bytes, b"and more"].concat()));
    pull(&place, &server, &[]).exits(3).complains(&["has more: it was not kept"]);
    assert_eq!(names(&folder(&place)), [""; 0]);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../outside",
        "/etc/outside",
        "onnx/../../outside",
        "model.onnx/../../x",
        "a\\b",
        "C:x",
        "nul\u{0}",
        "./x",
        "a//b",
        "",
    ] {
        let place = Place::new();
        let mut listed = list(&files());
        listed.as_array_mut().expect("a list").push(entry(name, b"outside"));
        let server = hub_with(files(), listed, |seen, _, bytes| ranged(seen, bytes));
        pull(&place, &server, &[]).exits(3).complains(&["is no name for a file: nothing was pulled"]);
        assert!(asked_for_files(&server).is_empty() && !place.data().join("models").exists(), "{name:?}");
    }
    let place = Place::new();
    let server = hub(|seen, _, bytes| ranged(seen, bytes));
    pull(&place, &server, &["--file", "../../etc/passwd"]).exits(2).complains(&["the repository has no"]);
    for wrong in [
        "me/tiny",
        "me/../x@main",
        "../x@main",
        "a/b/c@main",
        "me/tiny@",
        "@main",
        "me/tiny@a b",
        "me/tiny?x@main",
    ] {
        place.thrash(["model", "pull", wrong, "--hub", &server.url()]).exits(2).complains(&["OWNER/NAME@"]);
    }
}

#[test]
fn a_web_page_is_no_file() {
    let place = Place::new();
    let server = hub(|_, _, _| {
        Reply::answer(200, &[("content-type", "text/html; charset=utf-8")], "<html>log in</html>")
    });
    pull(&place, &server, &[]).exits(3).complains(&["a web page came instead of `config.json`", "HF_TOKEN"]);
    assert_eq!(names(&folder(&place)), [""; 0]);
    let server = Server::start(|_| Reply::answer(200, &[("content-type", "text/html")], "<html>"));
    pull(&place, &server, &[]).exits(3).complains(&["gives no list of files"]);
    let server = Server::start(|_| Reply::answer(401, &[], ""));
    pull(&place, &server, &[]).exits(3).complains(&["401", "HF_TOKEN"]);
    let server = Server::start(|_| Reply::answer(404, &[], ""));
    pull(&place, &server, &[]).exits(3).complains(&["404", "is the name right"]);
}

#[test]
fn a_branch_is_refused_and_its_commit_named() {
    let place = Place::new();
    let server = hub(|seen, _, bytes| ranged(seen, bytes));
    let url = server.url();
    let ended = place.thrash(["model", "pull", "me/tiny@main", "--hub", &url]).exits(2);
    ended.complains(&["is no commit", &format!("thrash model pull me/tiny@{COMMIT}")]);
    assert!(asked_for_files(&server).is_empty());
}

#[test]
fn the_key_goes_to_the_hub_and_no_further_and_is_never_shown() {
    let place = Place::new();
    let store = Server::start(|seen| {
        let name = seen.path.trim_start_matches('/').to_owned();
        let file = files().into_iter().find(|(known, _)| *known == name);
        file.map_or_else(|| Reply::answer(404, &[], ""), |(_, bytes)| ranged(seen, &bytes))
    });
    let elsewhere = store.url();
    let server =
        hub(move |_, name, _| Reply::answer(302, &[("location", &format!("{elsewhere}/{name}"))], ""));
    let url = server.url();
    let environment = [("HF_TOKEN", "hf_MARKER"), ("HF_ENDPOINT", url.as_str())];
    let ended = place.thrash_with(&environment, ["model", "pull", MODEL, "-v", "-v"]).exits(0);
    is_whole(&place);
    assert!(server.requests().iter().all(|seen| seen.header("authorization") == Some("Bearer hf_MARKER")));
    assert!(
        !store.requests().is_empty()
            && store.requests().iter().all(|seen| seen.header("authorization").is_none())
    );
    assert!(!ended.said().contains("MARKER"), "{}", ended.said());
    let broken = Server::start(|_| Reply::answer(500, &[], "")).url().replace("://", "://user:hunter2@");
    let ended = place.thrash(["model", "pull", MODEL, "--hub", &broken]).exits(3);
    assert!(!ended.said().contains("hunter2"), "{}", ended.said());
}

#[test]
fn a_hub_without_https_is_refused_but_on_this_machine() {
    let place = Place::new();
    for hub in ["http://hub.example", "http://u:hunter2@10.0.0.7:80", "ftp://hub.example", "nothing"] {
        let ended =
            place.thrash(["model", "pull", MODEL, "--hub", hub]).exits(2).complains(&["no https address"]);
        assert!(!ended.said().contains("hunter2"), "{}", ended.said());
    }
    let offline = place.thrash_with(&[("HF_HUB_OFFLINE", "1")], ["model", "pull", MODEL]);
    offline.exits(2).complains(&["HF_HUB_OFFLINE forbids it"]);
}

#[test]
fn another_variant_comes_with_its_data_and_one_that_is_not_there_is_named() {
    let place = Place::new();
    let onnx = files().pop().expect("the model").1;
    let mut all = files();
    all.push(("onnx/model_fp16.onnx".to_owned(), onnx.clone()));
    all.push(("onnx/model_fp16.onnx_data".to_owned(), vec![1; 3000]));
    all.push(("onnx/model_int8.onnx".to_owned(), onnx));
    let server = hub_with(all.clone(), list(&all), |seen, _, bytes| ranged(seen, bytes));
    let ended = pull(&place, &server, &["--file", "onnx/model_fp16.onnx"]).exits(0);
    assert!(ended.stdout.trim().ends_with("onnx/model_fp16.onnx"), "{}", ended.stdout);
    assert_eq!(names(&folder(&place).join("onnx")), ["model_fp16.onnx", "model_fp16.onnx_data"]);
    assert!(!folder(&place).join("model.onnx").exists());
    let ended = pull(&place, &server, &["--file", "onnx/model_q4.onnx"]).exits(2);
    ended.complains(&["has no `onnx/model_q4.onnx`", "onnx/model_int8.onnx"]);
}

#[test]
fn a_mapping_that_somebody_wrote_stays_and_a_broken_file_is_mended() {
    let place = Place::new();
    let server = hub(|seen, _, bytes| ranged(seen, bytes));
    pull(&place, &server, &[]).exits(0);
    std::fs::write(folder(&place).join("thrash.yaml"), "name: mine\n").expect("written");
    std::fs::write(folder(&place).join("model.onnx"), "broken").expect("written");
    pull(&place, &server, &[]).exits(0).complains(&["thrash.yaml was changed here"]);
    assert_eq!(std::fs::read_to_string(folder(&place).join("thrash.yaml")).expect("mine"), "name: mine\n");
    assert!(std::fs::read(folder(&place).join("model.onnx")).expect("the model") == files()[3].1);
}
