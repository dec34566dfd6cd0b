/*
 * What the store promises: a write is there when it returns 0 and absent when it does not; writes
 * of many threads share commits; readers see a snapshot; changed targets are told.
 */
#include "server/store/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char key[] = "a";

struct fixture {
	char folder[64], path[96];
	struct mue_store *store;
	int64_t touched[8];
	size_t touched_count;
};

static void on_touched(void *ctx, struct mue_db *db, const int64_t *ids, size_t count)
{
	struct fixture *f = ctx;

	(void)db;
	for (size_t i = 0; i < count && f->touched_count < 8; i++)
		f->touched[f->touched_count++] = ids[i];
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct mue_error e;

	strcpy(f->folder, "/tmp/mue-store-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/mue.db", f->folder);
	assert_int_equal(mue_store_open(f->path, &f->store, &e), 0);
	mue_store_on_touched(f->store, on_touched, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	mue_store_close(f->store);
	for (const char *const *s = (const char *const[]){ "", "-wal", "-shm", NULL }; *s; s++) {
		snprintf(path, sizeof path, "%s%s", f->path, *s);
		unlink(path);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static int put(struct mue_db *db, void *arg, struct mue_error *e)
{
	return mue_db_exec(db, e, "INSERT INTO config (key, value) VALUES (?1, 'x')", "t", arg);
}

static int put_and_fail(struct mue_db *db, void *arg, struct mue_error *e)
{
	int r = put(db, arg, e);

	return r < 0 ? r : mue_fail(e, MUE_ECONDITION, "changed my mind");
}

static int count(struct mue_db *db, void *arg, struct mue_error *e)
{
	return mue_db_int(db, arg, e, "SELECT count(*) FROM config", NULL);
}

static int64_t rows_of(struct mue_store *s)
{
	struct mue_error e;
	int64_t n = -1;

	assert_int_equal(mue_store_read(s, count, &n, &e), 0);
	return n;
}

static void a_write_is_there_when_it_returns_0(void **state)
{
	struct fixture *f = *state;
	struct mue_error e;

	assert_int_equal(mue_store_write(f->store, put, key, &e), 0);
	mue_store_close(f->store);
	assert_int_equal(mue_store_open(f->path, &f->store, &e), 0);
	assert_int_equal(rows_of(f->store), 1);
}

static void a_refused_write_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct mue_error e = { 0 };

	assert_int_equal(mue_store_write(f->store, put_and_fail, key, &e), MUE_ECONDITION);
	assert_string_equal(e.text, "changed my mind");
	assert_int_equal(rows_of(f->store), 0);
}

static void the_same_key_twice_is_a_verdict(void **state)
{
	struct fixture *f = *state;
	struct mue_error e;

	assert_int_equal(mue_store_write(f->store, put, key, &e), 0);
	assert_int_equal(mue_store_write(f->store, put, key, &e), MUE_EEXIST);
	assert_int_equal(rows_of(f->store), 1);
}

static int write_in_read(struct mue_db *db, void *arg, struct mue_error *e)
{
	return put(db, arg, e);
}

static void a_reader_cannot_write(void **state)
{
	struct fixture *f = *state;
	struct mue_error e;

	assert_true(mue_store_read(f->store, write_in_read, key, &e) < 0);
	assert_int_equal(rows_of(f->store), 0);
}

enum { THREADS = 8, EACH = 50 };

struct hammer {
	struct fixture *f;
	int number, failures;
};

static void *hammer(void *arg)
{
	struct hammer *h = arg;
	struct mue_error e;
	char name[32];

	for (int i = 0; i < EACH; i++) {
		bool fail = i % 5 == 4;

		snprintf(name, sizeof name, "%d-%d", h->number, i);
		if (mue_store_write(h->f->store, fail ? put_and_fail : put, name, &e) !=
		    (fail ? MUE_ECONDITION : 0))
			h->failures++;
	}
	return NULL;
}

static void writes_of_many_threads_share_commits_and_not_fates(void **state)
{
	struct fixture *f = *state;
	struct mue_store_stats stats;
	struct hammer h[THREADS];
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++) {
		h[i] = (struct hammer){ f, i, 0 };
		assert_int_equal(pthread_create(&t[i], NULL, hammer, &h[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(h[i].failures, 0);
	}
	assert_int_equal(rows_of(f->store), THREADS * EACH * 4 / 5);
	mue_store_stats(f->store, &stats);
	assert_int_equal(stats.writes, THREADS * EACH);
	assert_true(stats.commits < stats.writes);
}

static int add_target(struct mue_db *db, void *arg, struct mue_error *e)
{
	int r = mue_db_exec(db, e,
			    "INSERT INTO target (controller_id, name, security_token, created_at,"
			    " created_by, modified_at, modified_by)"
			    " VALUES (?1, ?1, 't', 0, 'x', 0, 'x')",
			    "t", arg);

	return r;
}

static int see_target(struct mue_db *db, void *arg, struct mue_error *e)
{
	return mue_db_exec(db, e, "UPDATE target SET last_seen = 5 WHERE controller_id = ?1", "t",
			   arg);
}

static int ask_target(struct mue_db *db, void *arg, struct mue_error *e)
{
	return mue_db_exec(db, e,
			   "UPDATE target SET request_attributes = 1 WHERE controller_id = ?1", "t",
			   arg);
}

static void changed_targets_are_told_and_last_seen_is_no_change(void **state)
{
	struct fixture *f = *state;
	struct mue_error e;

	assert_int_equal(mue_store_write(f->store, add_target, key, &e), 0);
	assert_int_equal(f->touched_count, 1);
	assert_int_equal(mue_store_write(f->store, see_target, key, &e), 0);
	assert_int_equal(f->touched_count, 1);
	assert_int_equal(mue_store_write(f->store, ask_target, key, &e), 0);
	assert_int_equal(f->touched_count, 2);
	assert_int_equal(f->touched[1], 1);
}

static int newer_schema(struct mue_db *db, void *arg, struct mue_error *e)
{
	(void)arg;
	return mue_db_exec(db, e, "PRAGMA user_version=9999", NULL);
}

static void a_database_of_a_newer_program_is_refused(void **state)
{
	struct fixture *f = *state;
	struct mue_store *second;
	struct mue_error e;

	assert_int_equal(mue_store_write(f->store, newer_schema, NULL, &e), 0);
	assert_int_equal(mue_store_open(f->path, &second, &e), MUE_EFORMAT);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_write_is_there_when_it_returns_0),
		CASE(a_refused_write_leaves_nothing),
		CASE(the_same_key_twice_is_a_verdict),
		CASE(a_reader_cannot_write),
		CASE(writes_of_many_threads_share_commits_and_not_fates),
		CASE(changed_targets_are_told_and_last_seen_is_no_change),
		CASE(a_database_of_a_newer_program_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
