//! A list of runs as SQL. It says only what is asked for, so that the database can go by the index that fits.

use chrono::NaiveDateTime;
use sqlx::{Database, Encode, QueryBuilder, Type};

use super::columns::word;
use super::summary::RunFilter;

/// What the databases call differently.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    /// The table of runs.
    pub(super) runs: &'static str,
    /// When a run began, by what is known of it. The indexes are over the same words.
    pub(super) began: &'static str,
}

/// The statement that lists the runs, newest first, after `summaries`, which selects them from a table called `run`.
pub(super) fn list<DB: Database>(summaries: &str, words: Words, filter: &RunFilter) -> QueryBuilder<DB>
where
    String: Encode<'static, DB> + Type<DB>,
    bool: Encode<'static, DB> + Type<DB>,
    i64: Encode<'static, DB> + Type<DB>,
    NaiveDateTime: Encode<'static, DB> + Type<DB>,
{
    let began = words.began;
    let mut sql = QueryBuilder::new(summaries);
    sql.push("WHERE TRUE");
    // Runs of earlier programs have no target.
    let is_recorded = filter.recorded || filter.newest || filter.target.is_some();
    if is_recorded {
        sql.push(" AND run_id IS NOT NULL");
    }
    if let Some(suite) = &filter.suite {
        sql.push(if is_recorded { " AND suite = " } else { " AND COALESCE(suite, test_type) = " });
        sql.push_bind(suite.clone());
    }
    if let Some(target) = &filter.target {
        sql.push(" AND target = ").push_bind(target.clone());
    }
    if let Some(demo) = filter.demo {
        sql.push(" AND COALESCE(demo, FALSE) = ").push_bind(demo);
    }
    if let Some(hash) = &filter.selection_hash {
        sql.push(" AND selection_hash = ").push_bind(hash.clone());
    }
    if let Some(kind) = &filter.kind {
        sql.push(" AND COALESCE(kind, 'accuracy') = ").push_bind(word(kind));
    }
    if let Some(conclusion) = &filter.conclusion {
        sql.push(" AND conclusion = ").push_bind(word(conclusion));
    }
    if let Some(since) = filter.since {
        sql.push(format_args!(" AND {began} >= ")).push_bind(since.naive_utc());
    }
    if let Some(before) = filter.before {
        sql.push(format_args!(" AND {began} < ")).push_bind(before.naive_utc());
    }
    if let Some((at, number)) = filter.after {
        sql.push(format_args!(" AND ({began}, id) < (")).push_bind(at.naive_utc());
        sql.push(", ").push_bind(number).push(")");
    }
    if filter.newest {
        newest(&mut sql, words, filter);
    } else {
        whole(&mut sql, filter);
    }
    // Not the `id` that is selected, which may be of another type than the one in the index.
    sql.push(format_args!(" ORDER BY {began} DESC, run.id DESC"));
    if let Some(limit) = filter.limit {
        // As a number: of a limit that it is told later, the database thinks that it lets a tenth of all through.
        sql.push(format_args!(" LIMIT {}", i64::try_from(limit).unwrap_or(i64::MAX)));
    }
    sql
}

/// Only whole runs, and only those that asked the right place, if that is asked.
fn whole<DB: Database>(sql: &mut QueryBuilder<DB>, filter: &RunFilter)
where
    String: Encode<'static, DB> + Type<DB>,
    i64: Encode<'static, DB> + Type<DB>,
{
    for (target, url) in &filter.places {
        sql.push(" AND (COALESCE(demo, FALSE) OR target_url IS NULL OR target <> ").push_bind(target.clone());
        sql.push(" OR target_url = ").push_bind(url.clone()).push(")");
    }
    let Some(sizes) = &filter.whole else { return };
    sql.push(" AND (part IS NULL");
    for (suite, size) in sizes {
        sql.push(" OR (suite = ").push_bind(suite.clone()).push(" AND part = ");
        sql.push_bind(i64::try_from(*size).unwrap_or(i64::MAX)).push(")");
    }
    sql.push(")");
}

/// Only the newest run of each series: from one series the index leads to the next, past all runs between.
fn newest<DB: Database>(sql: &mut QueryBuilder<DB>, Words { runs, began }: Words, filter: &RunFilter)
where
    String: Encode<'static, DB> + Type<DB>,
    i64: Encode<'static, DB> + Type<DB>,
{
    sql.push(format_args!(
        " AND id IN (
            WITH RECURSIVE series (id) AS (
                SELECT (SELECT id FROM {runs} WHERE run_id IS NOT NULL
                    ORDER BY suite, target, COALESCE(demo, FALSE) LIMIT 1)
                UNION ALL
                SELECT (SELECT id FROM {runs} WHERE run_id IS NOT NULL
                        AND (suite, target, COALESCE(demo, FALSE)) > (one.suite, one.target, COALESCE(one.demo, FALSE))
                    ORDER BY suite, target, COALESCE(demo, FALSE) LIMIT 1)
                FROM series JOIN {runs} one ON one.id = series.id)
            SELECT (SELECT id FROM {runs} WHERE run_id IS NOT NULL AND suite = one.suite AND target = one.target
                    AND COALESCE(demo, FALSE) = COALESCE(one.demo, FALSE)"
    ));
    whole(sql, filter);
    sql.push(format_args!(
        " ORDER BY {began} DESC, id DESC LIMIT 1)
            FROM series JOIN {runs} one ON one.id = series.id)"
    ));
}
