//! A list of jobs as SQL. It says only what is asked for, so that the database can go by the index that fits.

use sqlx::{Database, Encode, QueryBuilder, Type};

use super::columns::word;
use super::jobs::{DELETED, JobFilter};
use crate::domain::JobState;

/// The statement that lists the jobs, the one that was asked for last first, after `jobs`, which selects them from a
/// table. `runs` is the table of runs, `after` the time in `filter.after` as the table has it.
pub(super) fn list<DB: Database, Time>(
    jobs: &str,
    runs: &str,
    filter: &JobFilter,
    after: Option<Time>,
) -> QueryBuilder<DB>
where
    String: Encode<'static, DB> + Type<DB>,
    Time: Encode<'static, DB> + Type<DB> + 'static,
{
    let mut sql = QueryBuilder::new(jobs);
    sql.push("WHERE TRUE");
    if !filter.states.is_empty() {
        // Most jobs have finished. The others are an index of their own, which is known by these very words.
        if !filter.states.contains(&JobState::Finished) {
            sql.push(" AND state <> 'finished'");
        }
        let states: Vec<String> = filter.states.iter().map(|state| format!("'{}'", state.as_str())).collect();
        sql.push(format_args!(" AND state IN ({})", states.join(", ")));
    }
    if let Some(kind) = &filter.kind {
        sql.push(" AND kind = ").push_bind(word(kind));
    }
    for (column, value) in
        [("name", &filter.name), ("target", &filter.target), ("requester", &filter.requester)]
    {
        if let Some(value) = value {
            sql.push(format_args!(" AND {column} = ")).push_bind(value.clone());
        }
    }
    if let Some(typed) = filter.typed {
        sql.push(if typed { " AND typed" } else { " AND NOT typed" });
    }
    if filter.without_run {
        sql.push(format_args!(
            " AND (state IN ('failed', 'lost')
                OR (state = 'finished' AND COALESCE(message, '') <> '{DELETED}'
                    AND NOT EXISTS (SELECT 1 FROM {runs} run WHERE run.run_id = jobs.run_id)))"
        ));
    }
    if let (Some(time), Some((_, id))) = (after, &filter.after) {
        sql.push(" AND (submitted_at, id) < (")
            .push_bind(time)
            .push(", ")
            .push_bind(id.to_string())
            .push(")");
    }
    sql.push(" ORDER BY submitted_at DESC, id DESC");
    if let Some(limit) = filter.limit {
        // As a number: of a limit that it is told later, the database thinks that it lets a tenth of all through.
        sql.push(format_args!(" LIMIT {}", i64::try_from(limit).unwrap_or(i64::MAX)));
    }
    sql
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection, Executor, Row, Sqlite, SqliteConnection};

    use super::*;

    /// How SQLite would go about it.
    async fn plan(database: &mut SqliteConnection, filter: &JobFilter) -> String {
        let sql = list::<Sqlite, String>("SELECT * FROM jobs ", "test_runs", filter, None);
        let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", sql.sql().as_str()));
        let steps = database.fetch_all(sqlx::raw_sql(explained)).await.unwrap();
        steps.iter().map(|step| step.get::<String, _>("detail") + "\n").collect()
    }

    #[tokio::test]
    async fn the_usual_lists_are_read_from_an_index_in_its_order() {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for tables in [
            include_str!("../../migrations/sqlite/0001_runs.sql"),
            include_str!("../../migrations/sqlite/0003_jobs.sql"),
            include_str!("../../migrations/sqlite/0010_job_lists.sql"),
            include_str!("../../migrations/sqlite/0011_typed_jobs.sql"),
            include_str!("../../migrations/sqlite/0012_typed_guard.sql"),
        ] {
            database.execute(sqlx::raw_sql(tables)).await.unwrap();
        }
        let name = Some("it".to_owned());
        let over: Vec<JobState> = JobState::ALL.into_iter().filter(|state| state.is_over()).collect();
        let open = vec![JobState::Queued, JobState::Running];
        let all = || JobFilter { limit: Some(20), ..JobFilter::default() };
        for (filter, index) in [
            (all(), "jobs_submitted_at"),
            (JobFilter { states: open, ..all() }, "jobs_unfinished"),
            (JobFilter { states: vec![JobState::Failed, JobState::Lost], ..all() }, "jobs_unfinished"),
            (JobFilter { without_run: true, ..all() }, "jobs_submitted_at"),
            (JobFilter { without_run: true, typed: Some(false), ..all() }, "jobs_submitted_at"),
            (JobFilter { requester: name.clone(), ..all() }, "jobs_of_requester"),
            (JobFilter { requester: name.clone(), states: over.clone(), ..all() }, "jobs_of_requester"),
            (JobFilter { target: name, states: over, ..all() }, "jobs_of_target"),
        ] {
            let plan = plan(&mut database, &filter).await;
            assert!(plan.contains(&format!("INDEX {index}")), "{filter:?}:\n{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{filter:?}:\n{plan}");
        }
    }
}
