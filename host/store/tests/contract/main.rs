//! What the store promises, shown on both databases.
//!
//! Each function of the modules below is a test of its own, `sqlite::…` and `postgres::…`. A PostgreSQL that is not
//! to be had fails them.

mod altering;
mod appending;
mod books;
mod chaining;
mod crashing;
mod doubting;
mod harness;
mod hosting;
mod isolating;
mod reading;
mod remembering;
mod repeating;
mod scoping;
mod snapshots;
mod stopping;
mod subjects;
mod subscribing;
mod transferring;

use harness::Kind;

/// Runs every named function on a kind of database.
macro_rules! on {
    ($kind:ident as $name:ident: $($module:ident { $($test:ident,)* })*) => {
        mod $name {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() -> anyhow::Result<()> {
                    crate::$module::$test(crate::Kind::$kind).await
                }
            )*)*
        }
    };
}

macro_rules! on_both {
    ($($tests:tt)*) => {
        on!(Sqlite as sqlite: $($tests)*);
        on!(Postgres as postgres: $($tests)*);
    };
}

on_both! {
    appending {
        events_come_back_as_they_were_appended,
        a_stream_is_loaded_after_a_version,
        a_conflict_names_the_stream_and_both_versions,
        a_conflict_rejects_only_its_own_command_of_a_group,
        several_streams_are_written_together_or_not_at_all,
        a_stream_that_was_only_read_must_not_have_moved,
        positions_are_gapless_under_32_concurrent_writers,
        of_64_writers_on_one_stream_one_wins_each_version,
        an_append_without_events_answers_with_the_head,
        an_invalid_batch_is_refused_and_writes_nothing,
        an_event_id_is_used_once_and_its_reuse_harms_no_other_command,
        a_build_that_panics_rejects_only_its_own_command,
        a_build_that_names_other_streams_each_time_is_refused,
        a_serial_that_is_not_taken_is_refused,
        serials_are_gapless_under_100_concurrent_issuers,
        a_rejected_command_of_a_group_does_not_use_up_its_serial,
    }
    repeating {
        two_hosts_give_one_answer_to_a_request_without_events,
        a_repeated_request_gets_its_first_answer,
        a_key_with_another_body_is_refused,
        a_hundred_parallel_requests_with_one_key_have_one_effect,
        a_key_of_another_tenant_is_independent,
        a_rejected_request_does_not_use_up_its_key,
        an_old_answer_is_forgotten,
        a_caller_that_goes_away_still_commits_once,
    }
    remembering {
        what_another_host_wrote_counts_rather_than_what_is_remembered,
        a_request_that_another_host_answered_is_answered_again,
        a_version_that_is_not_as_supposed_rejects_only_its_own_command,
        hosts_that_take_turns_lose_nothing,
    }
    subjects {
        a_key_is_made_with_its_events_or_not_at_all,
        a_subject_has_one_key_at_a_time,
        a_destroyed_key_leaves_its_row_and_stops_who_counts_on_it,
        a_key_that_was_destroyed_anywhere_is_destroyed_everywhere,
        keys_are_carried_over_many_pages,
    }
    isolating {
        what_one_tenant_does_leaves_every_byte_of_another,
    }
    subscribing {
        a_subscription_catches_up_and_goes_on_live_without_a_gap,
        a_subscription_sees_what_another_host_appends,
        a_subscriber_never_sees_another_tenant,
        a_subscription_survives_a_failure_and_ends_when_the_store_closes,
        waiting_for_appends_wakes_up,
    }
    chaining {
        an_untouched_chain_verifies,
        an_edited_event_is_found_at_its_position,
        a_deleted_event_is_found_at_its_position,
        two_swapped_events_are_found_at_the_first,
        a_cut_off_end_is_found,
        an_event_put_in_after_the_head_is_found,
        breaks_far_apart_are_found_over_many_pages,
        a_chain_verifies_while_it_grows,
        reopening_continues_the_chain,
        a_hole_is_not_read_over,
    }
    reading {
        a_stream_of_any_length_is_read_from_any_version,
        a_reader_sees_what_is_appended_before_it_gets_there,
        a_history_is_read_up_to_a_position,
        a_hole_ends_a_reading,
        events_of_some_types_are_read_in_order,
    }
    snapshots {
        a_snapshot_comes_back_and_a_later_one_takes_its_place,
        a_snapshot_of_another_schema_is_not_used_and_may_be_replaced,
        a_snapshot_that_does_not_belong_to_the_events_is_not_used,
        a_snapshot_of_a_version_that_is_not_there_does_not_stay,
        a_snapshot_is_of_one_tenant,
    }
    hosting {
        two_hosts_on_one_database_keep_positions_gapless,
        two_hosts_draw_from_one_series_without_a_gap,
        two_hosts_may_open_a_new_database_together,
        heads_tell_where_every_tenant_is,
        components_come_back_by_digest,
        a_damaged_component_is_refused,
        closing_answers_what_waits_and_takes_no_more,
        too_many_waiting_appends_are_refused,
    }
    transferring {
        everything_is_carried_to_sqlite,
        everything_is_carried_to_postgres,
        an_import_brings_what_is_new,
        an_import_refuses_what_does_not_fit,
    }
}

#[tokio::test]
async fn postgres_without_synchronous_commit_is_refused() -> anyhow::Result<()> {
    hosting::unsafe_postgres_is_refused().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_before_the_commit_is_replaced() -> anyhow::Result<()> {
    hosting::broken_connection_is_replaced().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_told_to_all_at_once_and_found_again() -> anyhow::Result<()> {
    stopping::a_database_that_is_away_is_told_to_all_at_once().await
}

#[tokio::test]
async fn the_file_of_a_database_is_private() -> anyhow::Result<()> {
    hosting::sqlite_file_is_private().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_10_000_alterations_of_sqlite_all_are_found() -> anyhow::Result<()> {
    altering::sqlite().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_500_alterations_of_postgres_all_are_found() -> anyhow::Result<()> {
    altering::postgres().await
}

#[tokio::test]
async fn an_auditor_reads_beside_the_open_store() -> anyhow::Result<()> {
    altering::a_reader_beside_the_store().await
}

#[test]
fn whatever_crashes_what_was_acknowledged_is_there_once_on_sqlite() -> anyhow::Result<()> {
    crashing::whatever_crashes_what_was_acknowledged_is_there_once(Kind::Sqlite)
}

#[test]
fn whatever_crashes_what_was_acknowledged_is_there_once_on_postgres() -> anyhow::Result<()> {
    crashing::whatever_crashes_what_was_acknowledged_is_there_once(Kind::Postgres)
}

macro_rules! on_postgres {
    ($($module:ident { $($test:ident,)* })*) => {
        mod postgres_only {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() -> anyhow::Result<()> {
                    crate::$module::$test().await
                }
            )*)*
        }
    };
}

on_postgres! {
    doubting {
        an_answer_that_got_lost_is_found_out,
        a_request_that_got_lost_is_made_again,
        a_request_that_comes_late_is_refused,
        what_cannot_be_found_out_is_told_and_settled_by_asking_again,
    }
    scoping {
        a_reader_sees_the_tenants_of_its_scope_only,
        a_connection_without_a_scope_sees_nothing,
        the_host_cannot_edit_what_was_recorded,
        the_function_that_appends_lets_the_host_do_no_more_than_statements,
        every_table_of_a_tenant_is_protected,
        a_role_that_policies_do_not_bind_is_refused,
        a_login_that_could_leave_the_host_s_role_is_told_from_one_that_could_not,
        tables_of_another_version_are_refused,
        migrating_makes_the_tables_once,
        hosts_tell_each_other_of_appends,
    }
}
