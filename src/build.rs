//! Build script: tells the program the commit that it is built from, for the provenance of its records.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn main() {
    println!("cargo:rerun-if-changed=src/build.rs");
    println!("cargo:rerun-if-env-changed=THRASH_COMMIT");
    // Files in it become part of the program; without this a model that is put there would not be noticed.
    println!("cargo:rerun-if-changed=src/reference/builtin");
    // Only what moves with a commit is watched; otherwise every build would be a whole one.
    for path in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", path]) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    // A build without a repository, in a container for instance, is told from outside.
    let commit = std::env::var("THRASH_COMMIT").ok().or_else(|| git(&["rev-parse", "--short=12", "HEAD"]));
    println!("cargo:rustc-env=THRASH_COMMIT={}", commit.unwrap_or_default());
}
