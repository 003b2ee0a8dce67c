//! The cache that makes a repeated question fast and its measurement worthless.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::body::Bytes;

use super::request::Question;

/// How many answers are kept.
const MOST: usize = 10_000;

/// Answers by message, as long as they are fresh.
#[derive(Default)]
pub(super) struct Cache {
    answers: HashMap<String, Cached>,
}

struct Cached {
    question: Question,
    body: Bytes,
    until: Instant,
}

impl Cache {
    /// The body given to the same question before, if it is still fresh at `now`.
    pub(super) fn get(&self, question: &Question, now: Instant) -> Option<Bytes> {
        let cached = self.answers.get(&question.message)?;
        (now < cached.until && cached.question == *question).then(|| cached.body.clone())
    }

    /// Keeps `body` for `time`. A full cache forgets what is stale, or else everything.
    pub(super) fn put(&mut self, question: Question, body: Bytes, now: Instant, time: Duration) {
        if self.answers.len() >= MOST {
            self.answers.retain(|_, cached| now < cached.until);
        }
        if self.answers.len() >= MOST {
            self.answers.clear();
        }
        self.answers.insert(question.message.clone(), Cached { question, body, until: now + time });
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;
    use crate::demo::request;

    fn question(body: &str) -> Question {
        request::question(&HeaderMap::new(), body.as_bytes()).expect("a valid body")
    }

    #[test]
    fn an_answer_is_given_again_to_the_same_question_until_it_is_stale() {
        let (mut cache, start, time) = (Cache::default(), Instant::now(), Duration::from_mins(5));
        let asked = question(r#"{"message": "hello"}"#);
        cache.put(asked.clone(), Bytes::from_static(b"{}"), start, time);
        assert!(cache.get(&asked, start + Duration::from_secs(299)).is_some());
        assert!(cache.get(&asked, start + time).is_none());
        assert!(
            cache.get(&question(r#"{"message": "hello", "include_explanation": false}"#), start).is_none()
        );
        assert!(cache.get(&question(r#"{"message": "hello!"}"#), start).is_none());
    }
}
