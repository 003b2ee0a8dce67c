//! A day of schedules, by a clock that is moved: what is left of it grows with what was to be run, and with nothing else.

use chrono::TimeDelta;
use thrash::domain::{JobState, RunKind};
use thrash::notify::{AlertSeries, Finding, Notifier, NotifyOptions, Outcome, Severity};
use thrash::service::metrics::Metrics;
use thrash::service::schedule::Done;
use thrash::store::{JobEnd, JobFilter};

use super::at;
use super::service::{Instance, ON, START, config};
use crate::store::place::{Place, SqlitePlace};
use crate::support::server::{Reply, Server};

#[tokio::test]
async fn a_day_of_the_usual_schedules_is_49_runs_and_leaves_nothing_behind() {
    let place = SqlitePlace::fresh().await;
    let instance = Instance::new(config(&ON, None), place.open().await, "one");
    let start = at(START);
    instance.scheduler.begin(start).await.unwrap();
    let (mut handed_in, mut worked) = (Vec::new(), 0);
    for step in 0..(24 * 60 * 2) {
        handed_in.extend(instance.tick(start + TimeDelta::seconds(30 * (step + 1))).await);
        worked += instance.work().await;
    }
    assert!(handed_in.iter().all(|turned| turned.done == Done::HandedIn), "{handed_in:?}");
    let of = |name: &str| handed_in.iter().filter(|turned| turned.name == name).count();
    assert_eq!((of("quick"), of("comprehensive"), worked), (48, 1, 49));
    let six = handed_in.iter().find(|turned| turned.name == "comprehensive").unwrap();
    assert_eq!(six.meant, at("2026-11-02T06:00:00Z"));
    assert_eq!(instance.jobs().await, 49);
    assert_eq!(instance.store.schedule_states().await.unwrap().len(), 2, "one row a schedule");
}

/// One every two minutes that is run at once, and one whose first run never ends.
const DENSE: &str = "
targets:
  nlp: {extends: ash-v5, base_url: 'http://127.0.0.1:1'}
  stuck: {extends: ash-v5, base_url: 'http://127.0.0.1:2'}
schedules:
  jobs:
    dense: {cron: '*/2 * * * *', suite: quick, target: nlp, enabled: true}
    stuck: {cron: '*/2 * * * *', suite: quick, target: stuck, enabled: true}
";

#[tokio::test]
async fn a_day_of_dense_schedules_leaves_no_more_than_its_runs() {
    let (place, chat) = (SqlitePlace::fresh().await, Server::start(|_| Reply::answer(204, &[], "")));
    let instance = Instance::new(config(&ON, Some(DENSE)), place.open().await, "one");
    let store = instance.store.as_ref();
    let url = thrash::domain::Secret::new(chat.url());
    let channel =
        thrash::notify::Channel::new("ops", thrash::notify::ChannelKind::Slack, &url, None).unwrap();
    let notifier =
        Notifier::new(NotifyOptions { channels: vec![channel], ..NotifyOptions::default() }).unwrap();
    let metrics = Metrics::default();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let start = at(START);
    instance.scheduler.begin(start).await.unwrap();
    let (mut handed_in, mut passed_over, mut warm) = (0, 0, None);
    for minute in (2..=24 * 60).step_by(2) {
        let now = start + TimeDelta::minutes(minute);
        for turned in instance.tick(now).await {
            match turned.done {
                Done::HandedIn => handed_in += 1,
                Done::PassedOver => passed_over += 1,
                Done::NoRoom => panic!("the queue is full"),
                Done::Refused(why) => panic!("{why}"),
            }
        }
        // Well for an hour, and then for an hour it cannot begin.
        let fails = (minute / 60) % 2 == 1;
        let end = JobEnd {
            state: if fails { JobState::Failed } else { JobState::Finished },
            conclusion: None,
            message: None,
        };
        while let Some((id, lease)) = instance.claim().await {
            if store.job(&id).await.unwrap().target != "stuck" {
                metrics.count_job(&store.end_job(&lease, &end).await.unwrap().unwrap(), false);
            }
        }
        let finding = Finding {
            series: AlertSeries {
                suite: "quick".to_owned(),
                target: "nlp".to_owned(),
                demo: false,
                environment: None,
                kind: RunKind::Accuracy,
            },
            at: now,
            run: None,
            outcome: if fails { Outcome::Failed(Severity::Critical) } else { Outcome::Passed },
            sentence: String::new(),
            facts: Vec::new(),
        };
        notifier.observe(store, &finding, now).await.unwrap();
        notifier.deliver(store, now).await.unwrap();
        // Every schedule has had its first run by then.
        if minute == 8 * 60 {
            warm = Some((tasks(), metrics.text().unwrap().lines().count()));
        }
    }
    assert_eq!((handed_in, passed_over), (24 * 30 + 48 + 1 + 1, 24 * 30 - 1));
    assert_eq!(instance.jobs().await, handed_in, "no more jobs than runs");
    let waiting = JobFilter { states: vec![JobState::Queued], ..JobFilter::default() };
    assert_eq!(store.jobs(&waiting).await.unwrap().len(), 0);
    assert_eq!(store.schedule_states().await.unwrap().len(), 4, "one row a schedule");
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!(
        (counts.sent, counts.waiting, counts.cancelled, counts.given_up),
        (24, 0, 0, 0),
        "a word a change"
    );
    assert_eq!(chat.requests().len(), 24);
    let (tasks_then, lines_then) = warm.unwrap();
    // A few connections are kept.
    assert!(tasks() <= tasks_then + 8, "{} tasks, {tasks_then} after eight hours", tasks());
    assert_eq!(metrics.text().unwrap().lines().count(), lines_then);
    store.forget_messages(start + TimeDelta::days(92), false).await.unwrap();
    assert_eq!(store.outbox_counts().await.unwrap().sent, 0, "and in the end they are forgotten");
}
