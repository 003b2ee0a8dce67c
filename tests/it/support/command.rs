//! The program as a person or a script starts it: in an empty folder, with an environment that the test made.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sqlx::Connection;
use tempfile::TempDir;

/// A folder to run the program in; its data lies below it.
pub(crate) struct Place(TempDir);

/// What a command did.
pub(crate) struct Ended {
    /// None for a process that a signal ended.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the program keeps its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Writes a file into the folder, and the folders that it needs.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(&path, content).expect("the file is written");
        path
    }

    /// The program, not started yet: nothing in its environment but where its data is.
    pub(crate) fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thrash"));
        command.args(args).env_clear().env("THRASH_DATA", self.data()).current_dir(self.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub(crate) fn thrash(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ended {
        Ended::of(self.command(args).output().expect("the program starts"))
    }

    /// Runs the program with more in its environment.
    pub(crate) fn thrash_with(
        &self,
        environment: &[(&str, &str)],
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Ended {
        let mut command = self.command(args);
        command.envs(environment.iter().copied());
        Ended::of(command.output().expect("the program starts"))
    }

    /// Runs a line of shell in which `"$THRASH"` is the program.
    pub(crate) fn shell(&self, line: &str) -> Ended {
        let mut command = Command::new("/bin/bash");
        command.args(["-c", line]).env_clear().env("THRASH", env!("CARGO_BIN_EXE_thrash"));
        command.env("THRASH_DATA", self.data()).env("PATH", "/usr/bin:/bin").current_dir(self.path());
        Ended::of(command.stdin(Stdio::null()).output().expect("the shell starts"))
    }

    /// Makes a library for the program to be started with (`LD_PRELOAD`), by the linker that this program was made with.
    pub(crate) fn library(&self, name: &str, source: &str) -> PathBuf {
        let (source, library) =
            (self.file(&format!("{name}.c"), source), self.path().join(format!("{name}.so")));
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source);
        assert!(cc.status().expect("a C compiler").success());
        library
    }

    /// A suite of a harmless phrase and a desperate one that the demo detector answers well: everything passes.
    pub(crate) fn easy_suite(&self) -> &'static str {
        self.file(
            "easy/calm.yaml",
            "category: calm\nexpected: [none]\nphrases:\n  - {id: calm-1, text: Good morning everyone}\n",
        );
        self.file(
            "easy/desperate.yaml",
            "category: desperate\nexpected: [critical]\nde_escalation: 3\nphrases:\n  - {id: desperate-1, text: I want to kill myself tonight}\n",
        );
        "easy"
    }

    /// The one record among the runs that were stored last.
    pub(crate) fn latest(&self) -> Value {
        let shown = self.thrash(["report", "latest", "--json", "-"]);
        assert_eq!(shown.code, Some(0), "{}", shown.stderr);
        serde_json::from_str(&shown.stdout).expect("a record")
    }

    /// The runs that are stored.
    pub(crate) fn runs(&self) -> Vec<Value> {
        let listed = self.thrash(["runs", "list", "--json"]);
        assert_eq!(listed.code, Some(0), "{}", listed.stderr);
        serde_json::from_str(&listed.stdout).expect("a list")
    }

    /// Makes every stored run two days older.
    pub(crate) fn age_runs(&self) {
        self.sql("UPDATE test_runs SET start_time = strftime('%F %H:%M:%f', start_time, '-2 days')");
    }

    /// Changes the database behind the program's back.
    pub(crate) fn sql(&self, statement: &'static str) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.data().join("thrash.db"));
        let change = async {
            let mut database = sqlx::SqliteConnection::connect_with(&options).await?;
            sqlx::query(statement).execute(&mut database).await?;
            database.close().await
        };
        let runtime = || tokio::runtime::Runtime::new().expect("a runtime").block_on(change);
        // The test may have a runtime of its own.
        std::thread::scope(|scope| scope.spawn(runtime).join()).expect("no panic").expect("a database");
    }
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program speaks UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Everything it said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Checks the exit code, and shows everything if it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that stderr holds these words, in any place.
    #[track_caller]
    pub(crate) fn complains(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in stderr:\n{}", self.stderr);
        }
        self
    }
}

/// The demo detector as a process of its own; it ends with the value.
pub(crate) struct DemoProcess {
    child: Child,
    pub(crate) url: String,
}

impl DemoProcess {
    /// Starts it on a free port, misbehaving as these flags say.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thrash"));
        command.args(["demo", "--listen", "127.0.0.1:0"]).args(flags).env_clear();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut url).expect("its address");
        Self { child, url: url.trim().to_owned() }
    }
}

impl DemoProcess {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().expect("an address")
    }
}

impl Drop for DemoProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that the test started.
pub(crate) fn send(signal: &str, child: &Child) {
    let line = format!("kill -{signal} {}", child.id());
    assert!(Command::new("/bin/sh").args(["-c", &line]).status().expect("a shell").success());
}
