//! Phrase files that are broken in every way a file can be.

use crate::support::command::Place;

const GOOD: &str = "category: good\nexpected: [high]\nphrases:\n  - {id: good-1, text: I will end it}\n";

#[test]
fn files_that_hold_no_suite_are_refused_with_their_name() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("empty")).unwrap();
    place.file("notes/readme.txt", "no phrases here");
    place.file("empty.yaml", "");
    place.file("comments.yaml", "# nothing\n\n");
    place.file("head.yaml", "category: x\nexpected: [high]\n");
    place.file("none.yaml", "category: x\nexpected: [high]\nphrases: []\n");
    place.file("list.yaml", "- a\n- b\n");
    place.file("text.yaml", "just words");
    place.file("json.yaml", "{\"category\": \"x\"");
    place.file("latin.yaml", b"category: x\nexpected: [high]\nphrases:\n  - {id: a, text: caf\xe9}\n");
    place.file("binary.yaml", [0_u8, 159, 146, 150]);
    place.file("nul.yaml", "category: x\0y\n");
    place.file("deep.yaml", "[".repeat(100_000));
    place.file("aliases.yaml", "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f]\nphrases: [*g,*g,*g,*g,*g,*g,*g,*g]\n");
    let cases = [
        ("empty", "there is no phrase file in `empty`"),
        ("notes", "there is no phrase file in `notes`"),
        ("empty.yaml", "empty.yaml: the file is empty"),
        ("comments.yaml", "the file is empty"),
        ("head.yaml", "the key `phrases` is missing"),
        ("none.yaml", "none.yaml:3:10: there are no phrases"),
        ("list.yaml", "list.yaml:1:1"),
        ("text.yaml", "text.yaml:1:1"),
        ("json.yaml", "this is not YAML"),
        ("latin.yaml", "latin.yaml:4:1: this is not UTF-8"),
        ("binary.yaml", "this is not UTF-8"),
        ("nul.yaml", "nul.yaml:1"),
        ("deep.yaml", "deep.yaml"),
        ("aliases.yaml", "aliases.yaml"),
        ("/dev/zero", "larger than 16 MiB"),
    ];
    for (suite, message) in cases {
        let ended = place.thrash(["run", suite]);
        assert_eq!(ended.code, Some(2), "{suite}: {}", ended.said());
        assert!(ended.stderr.contains(message), "{suite}: no `{message}` in\n{}", ended.stderr);
        assert!(ended.stderr.len() < 4000, "{suite}: {} bytes of message", ended.stderr.len());
    }
}

#[test]
fn a_huge_file_is_refused_at_once() {
    let place = Place::new();
    let file = std::fs::File::create(place.path().join("huge.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
    let start = std::time::Instant::now();
    place.thrash(["run", "huge.yaml"]).exits(2).complains(&["larger than 16 MiB"]);
    assert!(start.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn a_file_that_may_not_be_read_is_refused_with_the_reason() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let file = place.file("locked.yaml", GOOD);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads everything.
    if std::fs::read(&file).is_ok() {
        return;
    }
    place.thrash(["run", "locked.yaml"]).exits(2).complains(&["cannot read `locked.yaml`", "ermission"]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let place = Place::new();
    let calm = "category: calm\nexpected: [none]\nphrases:\n  - {id: calm-1, text: Good morning}\n";
    place.file("s/a.yaml", format!("\u{feff}{}", calm.replace('\n', "\r\n")));
    place.file("s/b.yml", GOOD.replace('\n', "\r\n"));
    let ended = place.thrash(["run", "s", "--min-accuracy", "0%"]);
    assert!(matches!(ended.code, Some(0 | 1 | 4)), "{}", ended.said());
    let record = place.latest();
    assert_eq!(record["suite"]["available"], 2);
    assert_eq!(record["results"][1]["source"]["line"], 4);
}

#[test]
fn tabs_are_named_as_the_trouble() {
    let place = Place::new();
    place.file("tabs.yaml", "category: x\nexpected: [high]\nphrases:\n\t- {id: a, text: b}\n");
    place.thrash(["run", "tabs.yaml"]).exits(2).complains(&["tabs.yaml:4:", "spaces"]);
}

#[test]
fn every_problem_of_a_file_is_told_at_once_with_its_place() {
    let place = Place::new();
    place.file(
        "many.yaml",
        "category: not a name\n\
         expcted: [high]\n\
         expected: [high, hihg]\n\
         escalation: 7\n\
         target_accuracy: 92\n\
         phrases:\n\
         \x20 - id: p-1\n\
         \x20   text: one\n\
         \x20   tgas: [x]\n\
         \x20 - id: p-1\n\
         \x20   text: two\n\
         \x20 - id: p 3\n\
         \x20   text: \"\"\n\
         \x20 - text: four\n",
    );
    let ended = place.thrash(["run", "many.yaml"]).exits(2);
    let expected = [
        "many.yaml:1:11: `…` is no category name",
        "many.yaml:2:1: unknown key `expcted`",
        "many.yaml:3:18: level `hihg`",
        "many.yaml:4:13: ",
        "many.yaml:5:18: found integer `92`, expected a share such as `92%` or `0.92`",
        "many.yaml:9:5: unknown key `tgas`",
        "many.yaml:10:1: the id `p-1` is taken at many.yaml:7",
        "many.yaml:12:9: this is no phrase id",
        "many.yaml:13:11: phrase",
        "many.yaml:14:5: the key `id` is missing",
    ];
    let mut from = 0;
    for problem in expected {
        let found = ended.stderr[from..].find(problem);
        assert!(found.is_some(), "no `{problem}`, or not in its order:\n{}", ended.stderr);
        from += found.unwrap();
    }
    assert!(ended.stderr.contains("did you mean `expected`?"), "{}", ended.stderr);
    // The caret stands under the place.
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let shown =
        lines.iter().position(|line| line.contains("| expected: [high, hihg]")).expect("the line is shown");
    assert_eq!(lines[shown + 1].find('^'), lines[shown].find("hihg"), "{}", ended.stderr);
}

#[test]
fn labels_that_cannot_fail_or_contradict_themselves_are_refused() {
    let place = Place::new();
    let cases = [
        ("expected: [medium]\nescalation: true\nde_escalation: true", "phrase `p` cannot fail"),
        ("expected: [none, low, medium, high, critical]", "phrase `p` cannot fail"),
        ("expected: [low, high]", "but not `medium`"),
        ("expected: []", "at least one level"),
    ];
    for (head, message) in cases {
        place.file("bad.yaml", format!("category: c\n{head}\nphrases:\n  - {{id: p, text: x}}\n"));
        place.thrash(["run", "bad.yaml"]).exits(2).complains(&["bad.yaml:", message]);
    }
}

#[test]
fn ids_texts_and_categories_are_looked_at_across_files() {
    let place = Place::new();
    place.file("s/a.yaml", "category: c\nexpected: [high]\ntarget_accuracy: 90%\nphrases:\n  - {id: p, text: same}\n  - {id: q, text: other}\n");
    place.file("s/b.yaml", "category: c\nexpected: [none]\ntarget_accuracy: 80%\nphrases:\n  - {id: p, text: third}\n  - {id: r, text: ' same '}\n  - {id: t, text: fourth, pair: nowhere}\n");
    place.thrash(["run", "s"]).exits(2).complains(&[
        "s/b.yaml: category `c` stands in another file too",
        "the id `p` is taken at s/a.yaml:5",
        "phrase `r`: the same text, labelled otherwise, stands at s/a.yaml:5",
    ]);
    // Two suites that are asked for together share their phrases once.
    place.thrash(["run", "quick", "comprehensive", "--limit", "5"]);
    let both = place.latest()["suite"]["available"].clone();
    place.thrash(["comprehensive", "--limit", "5"]);
    assert_eq!(both, place.latest()["suite"]["available"]);
}

#[test]
fn a_partner_that_is_no_other_phrase_is_refused() {
    let place = Place::new();
    place.file("a.yaml", "category: c\nexpected: [high]\nphrases:\n  - {id: p, text: x, pair: nowhere}\n  - {id: q, text: y, seed_of: q}\n");
    place.thrash(["run", "a.yaml"]).exits(2).complains(&["`pair` names `nowhere`", "`seed_of` names `q`"]);
}

#[test]
fn a_folder_of_ones_own_replaces_the_shipped_suites() {
    let place = Place::new();
    place.easy_suite();
    place.file(
        "mine/suites.yaml",
        "suites:\n  smoke: {files: [../easy]}\n  quick: {files: [../easy/calm.yaml], ids: [calm-1]}\n",
    );
    let mine = [("THRASH_PHRASES", "mine")];
    place.thrash_with(&mine, ["run", "smoke"]).exits(0);
    assert_eq!(place.latest()["suite"]["selected"], 2);
    place.thrash_with(&mine, ["quick"]).exits(4);
    place.thrash_with(&mine, ["comprehensive"]).exits(2).complains(&["suites: quick, smoke"]);
    place.file(
        "mine/suites.yaml",
        "suites:\n  quick: {files: [../easy], ids: [calm-1, calm-1, clam-1], nope: 1}\n",
    );
    place.thrash_with(&mine, ["quick"]).exits(2).complains(&["mine/suites.yaml:2:", "unknown key `nope`"]);
    place.file("mine/suites.yaml", "suites:\n  quick: {files: [../easy], ids: [calm-1, calm-1, clam-1]}\n");
    place.thrash_with(&mine, ["quick"]).exits(2).complains(&["listed twice", "did you mean `calm-1`?"]);
    place.file("mine/suites.yaml", "suites:\n  quick: {files: [missing.yaml]}\n");
    place.thrash_with(&mine, ["quick"]).exits(2).complains(&["missing.yaml"]);
}

/// What is said of a suite with this one file.
fn checked(place: &Place, file: &str) -> String {
    place.file("odd/file.yaml", file);
    let ended = place.thrash(["phrases", "check", "odd"]).exits(2);
    ended.said()
}

#[test]
fn a_name_that_something_else_would_obey_is_refused_with_what_is_allowed() {
    let place = Place::new();
    let allowed =
        "at most 100 letters, digits, `_`, `-`, `.` and `:`, of which the first is a letter, a digit or `_`";
    for name in ["::error::x", ":x", "-x", ".x", "a b", "é"] {
        let of_id = checked(
            &place,
            &format!("category: calm\nexpected: [none]\nphrases:\n  - {{id: '{name}', text: hello}}\n"),
        );
        assert!(of_id.contains("this is no phrase id") && of_id.contains(allowed), "{name}: {of_id}");
        let of_category = checked(
            &place,
            &format!("category: '{name}'\nexpected: [none]\nphrases:\n  - {{id: a, text: hello}}\n"),
        );
        assert!(of_category.contains("no category name") && of_category.contains(allowed), "{of_category}");
    }
    place.file(
        "fine/x.yaml",
        "category: a:b\nexpected: [none]\nphrases:\n  - {id: '_a.b:c-1', text: hello}\n",
    );
    place.thrash(["phrases", "stats", "fine"]).exits(0);
}

#[test]
fn no_word_from_outside_is_a_command_to_githubs_runner() {
    let place = Place::new();
    let word = "no\n::error::such\n ::set-output name=x::y";
    place.file(&format!("s/{word}.yaml"), "category: [\n");
    place.file("known.yaml", "waivers: []\n");
    let all: [&[&str]; 5] = [
        &["phrases", "check", "s"],
        &["run", word],
        &["compare", word, "x.json"],
        &["report", word],
        &["waivers", "check", word, "--waivers", "known.yaml"],
    ];
    for command in all {
        let ended = place.thrash_with(&[("GITHUB_ACTIONS", "true")], command);
        assert!(ended.said().contains("such"), "{command:?}: {}", ended.said());
        for line in ended.said().lines() {
            assert!(!line.trim().starts_with("::"), "{command:?}: {line}");
        }
    }
}

#[test]
fn a_text_in_the_place_of_a_name_is_not_repeated() {
    let place = Place::new();
    let entry = |more: &str| {
        format!("category: calm\nexpected: [none]\nphrases:\n  - id: a-1\n    text: hello\n{more}")
    };
    for (more, said) in [
        ("    pair: I want to die tonight\n", "pair"),
        ("    expected: [I want to die tonight]\n", "is not one of none, low"),
        ("    expected: [IwanttodietonightIwanttodietonight]\n", "is not one of none, low"),
        ("  - id: I want to die tonight\n    text: hello you\n", "this is no phrase id"),
        ("    seed_of: I want to die tonight\n", "seed"),
    ] {
        let text = checked(&place, &entry(more));
        assert!(text.contains(said), "{text}");
        for word in ["die", "tonight", "want"] {
            assert!(!text.contains(word), "{more}: {text}");
        }
    }
    // A name with a typing error is.
    let text = checked(&place, &entry("    expected: [hihg]\n"));
    assert!(text.contains("`hihg`") && text.contains("| ") && text.contains("expected: [hihg]"), "{text}");
    let long = "a_very_long_name_of_a_phrase_that_is_there-0123";
    let text = checked(&place, &entry(&format!("    pair: {long}\n")));
    assert!(text.contains(long), "{text}");
}

#[test]
fn what_is_nested_without_end_is_refused_at_once_wherever_yaml_is_read() {
    let place = Place::new();
    let began = std::time::Instant::now();
    let refused = |command: &[&str], place_in: &str| {
        let ended = place.thrash(command).exits(2);
        assert!(ended.said().contains("it is nested deeper than 100 levels"), "{}", ended.said());
        assert!(ended.said().contains(place_in), "{}", ended.said());
    };
    for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "[{a: ".repeat(50_000), "- ".repeat(100_000)] {
        let (start, line) = if deep.starts_with('-') {
            ("category: calm\nexpected:\n", 3)
        } else {
            ("category: calm\nexpected: ", 2)
        };
        place.file("deep/x.yaml", format!("{start}{deep}"));
        refused(&["phrases", "check", "deep"], &format!("x.yaml:{line}:"));
    }
    // Brackets of texts are none, and as many as there are phrases are not deep.
    let phrase = |at: usize| format!("  - {{id: a-{at}, text: '[[[[ {{{{ {at}', tags: [x]}}\n");
    let fine = (0..300).map(phrase).collect::<Vec<String>>().concat();
    place.file("wide/x.yaml", format!("category: calm\nexpected: [none]\nphrases:\n{fine}"));
    place.thrash(["phrases", "stats", "wide"]).exits(0);
    // A second document, and quotes that look like ends.
    let hidden = format!("category: calm\n---\nx: {}", "['] ', ".repeat(100_000));
    place.file("deep/x.yaml", hidden);
    refused(&["phrases", "check", "deep"], "x.yaml:3:");
    let deep = "[".repeat(100_000);
    place.file("known.yaml", format!("waivers: {deep}"));
    place.file("ok/x.yaml", "category: calm\nexpected: [none]\nphrases:\n  - {id: a, text: hello}\n");
    refused(&["waivers", "check", "ok", "--waivers", "known.yaml"], "known.yaml:1:");
    place.file("thrash.yaml", format!("targets:\n  x: {{request: {deep}"));
    refused(&["doctor"], "thrash.yaml:2:");
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}
