//! A rule of a contract: a CEL expression, compiled once.

use std::cell::OnceCell;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, ExecutionError, Program, Value};
use serde_json::Value as Json;

/// CEL's own types and functions, made once: that takes longer than reading an answer.
static LANGUAGE: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Functions that an expression may call; CEL's macros are expanded before they could be seen here.
const FUNCTIONS: [&str; 15] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "bool",
    "type",
    "dyn",
    "max",
    "min",
];

/// Macros that bind a name to every element of a list.
const BINDING_MACROS: [&str; 5] = ["all", "exists", "exists_one", "map", "filter"];

/// Longest expression, in bytes.
const LONGEST: usize = 2000;
/// Most brackets inside one another.
const DEEPEST: usize = 16;
/// Most macros over lists in an expression.
const MOST_MACROS: usize = 3;
/// Most signs that nest without a bracket.
const MOST_SIGNS: usize = 100;

/// A compiled expression and the text it was written as.
#[derive(Debug)]
pub(super) struct Expression {
    source: String,
    program: Program,
    /// What most expressions are, and what needs no interpreter.
    simple: Option<Simple>,
}

/// A field of the body, or whether it is a certain word.
#[derive(Debug)]
struct Simple {
    path: Vec<String>,
    is: Option<String>,
}

impl Simple {
    /// Reads `body.a.b` and `body.a.b == "word"`.
    fn read(source: &str) -> Option<Self> {
        let (path, is) = match source.split_once(" == ") {
            Some((path, word)) => (path, Some(word.strip_prefix('"')?.strip_suffix('"')?.to_owned())),
            None => (source, None),
        };
        let is_name = |step: &str| {
            step.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && step.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let path: Vec<String> = path.strip_prefix("body.")?.split('.').map(str::to_owned).collect();
        let plain = is.as_ref().is_none_or(|word| !word.contains(['"', '\\', '\n']));
        (plain && path.iter().all(|step| is_name(step))).then_some(Self { path, is })
    }

    /// The value at the path, null where its key is missing; none where only the interpreter knows what to say.
    fn value<'a>(&self, body: &'a Json) -> Option<&'a Json> {
        let mut value = body;
        for step in &self.path {
            match value.as_object()?.get(step) {
                Some(next) => value = next,
                None => return Some(&Json::Null),
            }
        }
        Some(value)
    }

    /// The value, null where there is none; none as for [`Simple::value`].
    fn find(&self, body: &Json) -> Option<Json> {
        match (&self.is, self.value(body)?) {
            (None, value) if !value.is_object() && !value.is_array() => Some(value.clone()),
            _ => None,
        }
    }

    fn holds(&self, body: &Json) -> Option<bool> {
        match (&self.is, self.value(body)?) {
            (Some(word), Json::String(text)) => Some(word == text),
            (None, Json::Bool(holds)) => Some(*holds),
            _ => None,
        }
    }
}

impl Expression {
    /// Compiles an expression that may use the given variables.
    ///
    /// # Errors
    /// What is wrong with it, in words for the one who wrote it.
    pub(super) fn compile(source: &str, variables: &[&str]) -> Result<Self, String> {
        check_size(source)?;
        let program = Program::compile(source)
            .map_err(|errors| format!("`{source}` is not CEL{}", first_error(&errors.to_string())))?;
        let references = program.references();
        for variable in references.variables() {
            if !variables.contains(&variable) && !variable.starts_with('@') && !binds(source, variable) {
                return Err(format!("`{source}` uses `{variable}`; known here: {}", variables.join(", ")));
            }
        }
        for function in references.functions() {
            let is_operator = !function.starts_with(|c: char| c.is_ascii_alphabetic());
            if !is_operator && !FUNCTIONS.contains(&function) {
                return Err(format!("`{source}` calls `{function}`, which is no function of CEL"));
            }
        }
        Ok(Self { source: source.to_owned(), program, simple: Simple::read(source) })
    }

    /// The expression as it was written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The value; a key that is missing gives none.
    pub(super) fn find(&self, scope: &Scope<'_>) -> Result<Option<Json>, String> {
        if let Some(found) = self.simple.as_ref().and_then(|simple| simple.find(&scope.body)) {
            return Ok(Some(found).filter(|found| !found.is_null()));
        }
        match self.program.execute(scope.context()) {
            Ok(Value::Null) | Err(ExecutionError::NoSuchKey(_)) => Ok(None),
            Ok(value) => value.json().map(Some).map_err(|_| format!("`{}` gives no JSON value", self.source)),
            Err(error) => {
                Err(format!("`{}` cannot be evaluated: {}", self.source, self.without_values(&error)))
            }
        }
    }

    /// The value of a rule, which must be true or false.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> Result<bool, String> {
        if let Some(holds) = self.simple.as_ref().and_then(|simple| simple.holds(&scope.body)) {
            return Ok(holds);
        }
        match self.program.execute(scope.context()) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err(format!("`{}` is neither true nor false", self.source)),
            Err(error) => {
                Err(format!("`{}` cannot be evaluated: {}", self.source, self.without_values(&error)))
            }
        }
    }
}

impl Expression {
    /// The error without the values in it: an answer may repeat the phrase.
    fn without_values(&self, error: &ExecutionError) -> String {
        match error {
            // A key may have been taken from the answer: `body[body.name]`.
            ExecutionError::NoSuchKey(key) if self.source.contains(key.as_str()) => {
                format!("there is no key `{key}`")
            }
            ExecutionError::NoSuchKey(_) => "there is no such key".to_owned(),
            ExecutionError::UndeclaredReference(name) => format!("`{name}` is not known"),
            // The types, not the values.
            ExecutionError::NoSuchOverload(overload) => overload.to_string(),
            ExecutionError::ValuesNotComparable(..) => "the values cannot be compared".to_owned(),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                "division by zero".to_owned()
            }
            ExecutionError::IndexOutOfBounds(_) => "the index is out of bounds".to_owned(),
            _ => "the values have the wrong types".to_owned(),
        }
    }
}

/// The first error of the parser, ` at line 1, character 7: missing ')'`, without the list of all that might have stood there.
fn first_error(errors: &str) -> String {
    let first = errors.lines().next().unwrap_or_default().trim_start_matches("ERROR: <input>:");
    let mut parts = first.splitn(3, ':');
    let (Some(line), Some(character), Some(what)) = (parts.next(), parts.next(), parts.next()) else {
        return format!(": {first}");
    };
    let what = what.trim().trim_start_matches("Syntax error: ");
    let what = what.split_once(" expecting {").map_or(what, |(what, _)| what);
    format!(" at line {line}, character {character}: {what}")
}

/// The parser goes down a level for every bracket, and macros in macros multiply: both are bounded here.
fn check_size(source: &str) -> Result<(), String> {
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in source.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let macros: usize = BINDING_MACROS.iter().map(|name| source.matches(&format!(".{name}(")).count()).sum();
    let signs = source.chars().filter(|c| matches!(c, '!' | '-' | '?')).count();
    if source.len() > LONGEST || deepest > DEEPEST || macros > MOST_MACROS || signs > MOST_SIGNS {
        return Err(format!(
            "an expression may have {LONGEST} characters, {DEEPEST} brackets inside one another, {MOST_MACROS} macros \
             over lists, and {MOST_SIGNS} of `!`, `-` and `?`"
        ));
    }
    Ok(())
}

/// Whether a macro in the source binds the name: `list.exists(name, …)`.
fn binds(source: &str, name: &str) -> bool {
    BINDING_MACROS.iter().any(|called| {
        source.match_indices(&format!(".{called}(")).any(|(at, text)| {
            source[at + text.len()..].split(',').next().is_some_and(|argument| argument.trim() == name)
        })
    })
}

/// What an expression can see.
pub(super) struct Scope<'a> {
    status: u16,
    headers: &'a [(String, String)],
    body: Json,
    more: Vec<(&'static str, Json)>,
    /// Made when the first expression needs it.
    context: OnceCell<Context<'static, 'static>>,
}

impl<'a> Scope<'a> {
    /// An answer: its status, its headers (names in lower case) and its body.
    pub(super) const fn new(status: u16, headers: &'a [(String, String)], body: Json) -> Self {
        Self { status, headers, body, more: Vec::new(), context: OnceCell::new() }
    }

    /// Adds a value that was read from the answer.
    pub(super) fn add(&mut self, name: &'static str, value: Json) {
        if let Some(context) = self.context.get_mut() {
            // Adding fails only for values that JSON cannot hold, and these are JSON.
            let _ = context.add_variable(name, value.clone());
        }
        self.more.push((name, value));
    }

    fn context(&self) -> &Context<'static, 'static> {
        self.context.get_or_init(|| {
            let headers: Json =
                self.headers.iter().map(|(name, value)| (name.clone(), Json::from(value.as_str()))).collect();
            let mut context = Context::with_env(Arc::clone(&LANGUAGE));
            let _ = context.add_variable("status", i64::from(self.status));
            let _ = context.add_variable("headers", headers);
            let _ = context.add_variable("body", self.body.clone());
            for (name, value) in &self.more {
                let _ = context.add_variable(*name, value.clone());
            }
            context
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_no_interpreter_says_the_same_as_the_interpreter() {
        let sources = ["body.a", "body.a.b", "body.a.b.c", "body.a == \"x\"", "body.a.b == \"x\"", "body.b"];
        let bodies = [
            r#"{"a": "x", "b": null}"#,
            r#"{"a": {"b": "x"}, "b": true}"#,
            r#"{"a": {"b": {"c": 1}}, "b": false}"#,
            r#"{"a": {"b": {"c": 18446744073709551615}}, "b": 0.1}"#,
            r#"{"a": [1, 2], "b": -3}"#,
            r#"{"a": null}"#,
            "{}",
            "null",
            "[1]",
            r#""text""#,
        ];
        for source in sources {
            let fast = Expression::compile(source, &["body"]).expect("an expression");
            assert!(fast.simple.is_some(), "{source}");
            let slow =
                Expression { simple: None, ..Expression::compile(source, &["body"]).expect("an expression") };
            for body in bodies {
                let scope = Scope::new(200, &[], serde_json::from_str(body).expect("JSON"));
                assert_eq!(fast.find(&scope), slow.find(&scope), "{source} in {body}");
                assert_eq!(fast.holds(&scope), slow.holds(&scope), "{source} in {body}");
            }
        }
        for source in
            ["body.a + 1", "body.a == 'x'", "body.a == \"x\\n\"", "has(body.a)", "body", "status == 200"]
        {
            assert!(Simple::read(source).is_none(), "{source}");
        }
    }

    #[test]
    fn an_expression_that_would_overflow_the_parser_or_never_end_is_refused() {
        let nested = format!("{}body.level{}", "(".repeat(60), ")".repeat(60));
        let maps = format!("body.items{}", ".map(a, body.items)".repeat(9));
        for source in [nested, "[".repeat(3000), maps, "!".repeat(1500)] {
            assert!(Expression::compile(&source, &["body"]).is_err());
        }
    }
}
