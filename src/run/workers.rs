//! Jobs done side by side, each in a task of its own.

use std::collections::HashMap;

use tokio::task::JoinSet;

/// What the jobs brought.
#[derive(Debug)]
pub(super) struct Done<T> {
    pub(super) found: Vec<T>,
    /// The jobs that panicked, by number. They took nothing else with them.
    pub(super) lost: Vec<usize>,
}

/// Does the jobs from 0 to `jobs`, at most `workers` of them at once. The first one that gives none ends it: no further
/// job is begun, and those that go on are waited for.
pub(super) async fn work_off<T, F>(jobs: usize, workers: usize, job: impl Fn(usize) -> F) -> Done<T>
where
    T: Send + 'static,
    F: Future<Output = Option<Vec<T>>> + Send + 'static,
{
    let mut done = Done { found: Vec::new(), lost: Vec::new() };
    let mut waiting = 0..jobs;
    let mut running = JoinSet::new();
    let mut numbers = HashMap::new();
    loop {
        while running.len() < workers.max(1) {
            let Some(number) = waiting.next() else { break };
            numbers.insert(running.spawn(job(number)).id(), number);
        }
        match running.join_next_with_id().await {
            None => return done,
            Some(Ok((id, found))) => {
                numbers.remove(&id);
                match found {
                    Some(found) => done.found.extend(found),
                    None => waiting = jobs..jobs,
                }
            }
            // Nobody cancels a task of this set, so it was a panic, and the panic hook has said where.
            Some(Err(error)) => done.lost.extend(numbers.remove(&error.id())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_costs_itself_and_nothing_else() {
        for workers in [1, 3, 100] {
            let mut done = work_off(20, workers, |number| async move {
                tokio::task::yield_now().await;
                assert!(number % 7 != 3, "this panic is meant to be");
                Some(vec![number])
            })
            .await;
            done.found.sort_unstable();
            done.lost.sort_unstable();
            assert_eq!(done.lost, [3, 10, 17]);
            assert_eq!(done.found, (0..20).filter(|number| number % 7 != 3).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn a_job_that_gives_none_is_the_last_one_begun() {
        let done = work_off(20, 1, |number| async move { (number != 5).then(|| vec![number]) }).await;
        assert_eq!((done.found, done.lost), (vec![0, 1, 2, 3, 4], vec![]));
    }

    #[tokio::test]
    async fn never_more_at_once_than_there_are_workers() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let done = work_off(50, 4, |_| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Some(vec![()])
            }
        })
        .await;
        assert_eq!((done.found.len(), most.load(Ordering::SeqCst)), (50, 4));
    }
}
