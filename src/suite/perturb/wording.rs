//! Words around a message that change nothing about it.
//!
//! None of them is sad, glad, urgent or apologetic, and none says when: what a reader makes of the message must not
//! depend on them.

use super::words::then;

const GREETINGS: &[&str] = &[
    "hi there, ",
    "hello everyone, ",
    "hello all. ",
    "hey, hope this is the right channel. ",
    "hi, may i say something: ",
];

const FILLERS: &[&str] = &[
    "the bus stop is next to the library.",
    "my phone is at sixty percent.",
    "the printer is on the second floor.",
    "we had rice for lunch.",
    "the kettle in the kitchen is blue.",
    "there are two pens on my desk.",
    "it is a bit windy outside.",
];

pub(super) fn prefix(text: &str) -> Vec<String> {
    GREETINGS.iter().map(|greeting| format!("{greeting}{text}")).collect()
}

pub(super) fn filler_before(text: &str) -> Vec<String> {
    FILLERS.iter().map(|filler| format!("{filler} {text}")).collect()
}

pub(super) fn filler_after(text: &str) -> Vec<String> {
    FILLERS.iter().map(|filler| then(text, filler)).collect()
}
