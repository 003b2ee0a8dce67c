//! Getting the library: from an index of Python packages that a test plays.

use std::fmt::Write as _;
use std::io::{Cursor, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use thrash::reference::{FetchError, Variant, Wheel, fetch};
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::support::command::Place;
use crate::support::server::{Reply, Server};

const MEMBERS: [(&str, &str); 6] = [
    ("onnxruntime/capi/libonnxruntime.so.1.31.1", "the library"),
    ("onnxruntime/capi/libonnxruntime_providers_shared.so", "a provider"),
    ("onnxruntime/capi/onnxruntime_pybind11_state.so", "for Python"),
    ("onnxruntime/capi/../../libonnxruntime.so.9", "outside"),
    ("onnxruntime/libonnxruntime.so.9", "elsewhere"),
    ("onnxruntime/capi/onnxruntime_inference_collection.py", "for Python"),
];

fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default()).expect("a member");
        writer.write_all(content.as_bytes()).expect("written");
    }
    writer.finish().expect("an archive").into_inner()
}

/// A wheel with this content.
fn wheel(content: &[u8]) -> Wheel {
    let mut sha256 = String::new();
    for byte in Sha256::digest(content) {
        write!(sha256, "{byte:02x}").expect("text");
    }
    Wheel { project: "onnxruntime", version: "1.31.1", tags: "any", sha256: sha256.leak(), megabytes: 1 }
}

/// An index that has one wheel, behind a relative link as mirrors have them.
fn index(content: Vec<u8>) -> Server {
    Server::start(move |seen| match seen.path.as_str() {
        "/simple/onnxruntime/" => Reply::answer(
            200,
            &[("content-type", "text/html")],
            "<a href=\"../../files/onnxruntime-1.31.1-cp312-cp312-other.whl#sha256=00\">other</a>\
             <a href=\"../../files/onnxruntime-1.31.1-cp312-cp312-any.whl#sha256=11\">this</a>",
        ),
        "/files/onnxruntime-1.31.1-cp312-cp312-any.whl" => Reply::answer(200, &[], &content),
        _ => Reply::answer(404, &[], ""),
    })
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn only_the_libraries_are_taken_out_and_replace_what_was_there() {
    let place = Place::new();
    let folder = place.data().join("runtime");
    place.file("data/runtime/libonnxruntime.so.1.20.0", "an old one");
    let content = archive(&MEMBERS);
    let server = index(content.clone());
    let url = format!("{}/simple/", server.url().replace("://", "://user:hunter2@"));
    let taken = fetch(&wheel(&content), &url, &folder).await.expect("fetched");
    let logins = server.requests().into_iter().filter(|seen| seen.header("authorization").is_some());
    assert_eq!(logins.count(), 2, "the page and the file are asked with the login");
    assert_eq!(taken, ["libonnxruntime.so.1.31.1", "libonnxruntime_providers_shared.so"]);
    assert_eq!(names(&folder), taken);
    assert_eq!(
        std::fs::read_to_string(folder.join("libonnxruntime.so.1.31.1")).expect("the library"),
        "the library"
    );
    assert_eq!(names(&place.data()), ["runtime"], "nothing is left over");
}

#[tokio::test]
async fn a_wheel_with_another_hash_is_not_unpacked() {
    let place = Place::new();
    let folder = place.data().join("runtime");
    place.file("data/runtime/libonnxruntime.so.1.20.0", "an old one");
    let server = index(archive(&MEMBERS));
    let wanted = wheel(b"what was published");
    let refused = fetch(&wanted, &format!("{}/simple", server.url()), &folder).await.expect_err("refused");
    assert!(matches!(&refused, FetchError::Checksum { .. }), "{refused}");
    assert!(refused.to_string().contains(wanted.sha256), "{refused}");
    assert_eq!(names(&folder), ["libonnxruntime.so.1.20.0"], "what was there stays");
}

#[tokio::test]
async fn what_an_index_does_not_have_is_named_without_passwords() {
    let place = Place::new();
    let content = archive(&MEMBERS);
    let server = index(content.clone());
    let index = format!("{}/simple", server.url().replace("://", "://user:hunter2@"));
    let absent = Wheel { tags: "none", ..wheel(&content) };
    let refused = fetch(&absent, &index, &place.data().join("runtime")).await.expect_err("absent");
    let text = refused.to_string();
    assert!(text.contains("has no `onnxruntime-1.31.1-cp312-cp312-none.whl`"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("user"), "{text}");
    let other = Wheel { project: "other", ..absent };
    let refused = fetch(&other, &index, &place.data().join("runtime")).await.expect_err("no page");
    assert!(refused.to_string().contains("404"), "{refused}");
}

#[tokio::test]
async fn an_archive_that_is_none_or_holds_no_library_is_refused() {
    let place = Place::new();
    let folder = place.data().join("runtime");
    let content = b"no archive".to_vec();
    let server = index(content.clone());
    let url = format!("{}/simple", server.url());
    let refused = fetch(&wheel(&content), &url, &folder).await.expect_err("no archive");
    assert!(matches!(&refused, FetchError::Unpack { .. }), "{refused}");
    let content = archive(&MEMBERS[2..]);
    let server = index(content.clone());
    let url = format!("{}/simple", server.url());
    let refused = fetch(&wheel(&content), &url, &folder).await.expect_err("no library");
    assert!(matches!(&refused, FetchError::Empty(_)), "{refused}");
    assert!(!folder.exists());
}

#[test]
fn the_program_asks_the_index_of_pip() {
    let place = Place::new();
    let server = index(archive(&MEMBERS));
    let url = format!("{}/simple", server.url());
    let ended = place.thrash_with(&[("PIP_INDEX_URL", &url)], ["model", "runtime", "--fetch", "cpu"]);
    // This index has no wheel for any real machine.
    ended.exits(3).complains(&["the index page", "has no `onnxruntime-1.31.1-cp312-cp312-", "PIP_INDEX_URL"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn there_is_a_wheel_for_the_processors_that_are_tested() {
    for variant in Variant::ALL {
        if let Some(wheel) = Wheel::here(variant) {
            assert_eq!(wheel.sha256.len(), 64);
            assert!(wheel.file().starts_with("onnxruntime") && wheel.file().contains("-cp312-"));
        }
    }
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        assert!(Variant::ALL.into_iter().all(|variant| Wheel::here(variant).is_some()));
    }
}
