/* The fleet in RAM says what the database says, and what was last seen gets there. */
#include "server/presence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	char folder[64], path[96];
	struct mue_store *store;
	struct mue_presence *presence;
};

static void on_touched(void *ctx, struct mue_db *db, const int64_t *ids, size_t count)
{
	struct fixture *f = ctx;
	struct mue_error e;

	assert_int_equal(mue_presence_reload_settings(f->presence, db, &e), 0);
	mue_presence_reload(f->presence, db, ids, count);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct mue_error e;

	strcpy(f->folder, "/tmp/mue-presence-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/mue.db", f->folder);
	assert_int_equal(mue_store_open(f->path, &f->store, &e), 0);
	assert_int_equal(mue_presence_open(f->store, &f->presence, &e), 0);
	mue_store_on_touched(f->store, on_touched, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	mue_store_close(f->store);
	mue_presence_close(f->presence);
	snprintf(command, sizeof command, "rm -r '%s'", f->folder);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static int run_sql(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct mue_rows rows;
	int r = mue_db_query_once(db, &rows, e, *(const char **)arg);

	if (r == 0)
		r = mue_rows_next(&rows, e);
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static void sql(struct fixture *f, const char *text)
{
	struct mue_error e = { 0 };

	if (mue_store_write(f->store, run_sql, &text, &e) < 0)
		fail_msg("%s: %s", text, e.text);
}

#define WHO "0, 'x', 0, 'x'"

static void add_target(struct fixture *f, const char *name)
{
	char text[256];

	snprintf(text, sizeof text,
		 "INSERT INTO target (controller_id, name, security_token, created_at, created_by,"
		 " modified_at, modified_by) VALUES ('%s', '%s', 'token-of-%s', " WHO ")",
		 name, name, name);
	sql(f, text);
}

static void add_action(struct fixture *f, const char *status, int active)
{
	char text[256];

	snprintf(text, sizeof text,
		 "INSERT INTO action (target_id, set_id, type, status, active, initiated_by,"
		 " created_at, created_by, modified_at, modified_by)"
		 " VALUES (1, 1, 'forced', '%s', %d, 'x', " WHO ")",
		 status, active);
	sql(f, text);
}

static struct mue_seen get(struct fixture *f, const char *name)
{
	struct mue_seen seen;

	assert_int_equal(mue_presence_get(f->presence, name, &seen), 0);
	return seen;
}

static void with_set(struct fixture *f)
{
	add_target(f, "d1");
	sql(f, "INSERT INTO dist_set (id, type_id, name, version, created_at, created_by,"
	       " modified_at, modified_by) VALUES (1, 1, 'a', '1', " WHO ")");
}

static void a_target_is_known_from_its_commit_on(void **state)
{
	struct fixture *f = *state;
	struct mue_seen seen;

	assert_int_equal(mue_presence_get(f->presence, "d1", &seen), MUE_ENOTFOUND);
	add_target(f, "d1");
	seen = get(f, "d1");
	assert_int_equal(seen.offer, MUE_OFFER_NONE);
	assert_true(seen.wants_attributes);
	sql(f, "UPDATE target SET request_attributes = 0, poll_s = 7");
	assert_false(get(f, "d1").wants_attributes);
	assert_int_equal(get(f, "d1").poll_s, 7);
	sql(f, "UPDATE target SET controller_id = 'd2'");
	assert_int_equal(mue_presence_get(f->presence, "d1", &seen), MUE_ENOTFOUND);
	get(f, "d2");
	sql(f, "DELETE FROM target");
	assert_int_equal(mue_presence_get(f->presence, "d2", &seen), MUE_ENOTFOUND);
}

static void the_offer_follows_the_actions(void **state)
{
	struct fixture *f = *state;
	int32_t c;

	with_set(f);
	add_action(f, "scheduled", 0);
	assert_int_equal(get(f, "d1").offer, MUE_OFFER_NONE);
	sql(f, "UPDATE action SET status = 'running', active = 1 WHERE id = 1");
	assert_int_equal(get(f, "d1").offer, MUE_OFFER_DEPLOY);
	assert_int_equal(get(f, "d1").action_id, 1);
	c = get(f, "d1").c;
	sql(f, "UPDATE action SET type = 'soft' WHERE id = 1");
	assert_int_not_equal(get(f, "d1").c, c);
	add_action(f, "wait_for_confirmation", 1);
	assert_int_equal(get(f, "d1").action_id, 1);
	add_action(f, "canceling", 1);
	assert_int_equal(get(f, "d1").offer, MUE_OFFER_CANCEL);
	assert_int_equal(get(f, "d1").action_id, 3);
	sql(f, "UPDATE action SET status = 'canceled', active = 0 WHERE id = 3");
	sql(f, "UPDATE action SET status = 'finished', active = 0 WHERE id = 1");
	assert_int_equal(get(f, "d1").offer, MUE_OFFER_CONFIRM);
	assert_int_equal(get(f, "d1").installed_id, 1);
}

static void last_seen_is_flushed_and_survives_a_reload(void **state)
{
	struct fixture *f = *state;
	struct mue_presence *again;
	struct mue_seen seen;
	struct mue_error e;

	add_target(f, "d1");
	mue_presence_touch(f->presence, "d1", 12345);
	sql(f, "UPDATE target SET poll_s = 9"); /* reloads the entry, keeps what was seen */
	assert_int_equal(get(f, "d1").last_seen, 12345);
	assert_int_equal(mue_presence_last_seen(f->presence, get(f, "d1").target_id), 12345);
	assert_int_equal(mue_presence_flush(f->presence, f->store, &e), 0);
	assert_int_equal(mue_presence_open(f->store, &again, &e), 0);
	assert_int_equal(mue_presence_get(again, "d1", &seen), 0);
	assert_int_equal(seen.last_seen, 12345);
	mue_presence_close(again);
}

static void tokens_are_compared_whole(void **state)
{
	struct fixture *f = *state;

	add_target(f, "d1");
	assert_true(mue_presence_token_is(f->presence, "d1", "token-of-d1"));
	assert_false(mue_presence_token_is(f->presence, "d1", "token-of-d"));
	assert_false(mue_presence_token_is(f->presence, "d1", "token-of-d11"));
	assert_false(mue_presence_token_is(f->presence, "d1", ""));
	assert_false(mue_presence_token_is(f->presence, "d2", "token-of-d1"));
	sql(f, "UPDATE target SET security_token = ''");
	assert_false(mue_presence_token_is(f->presence, "d1", ""));
}

static void the_polling_time_of_the_operator_counts(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mue_presence_poll_s(f->presence), 0);
	sql(f, "INSERT INTO config VALUES ('pollingTime', '01:02:03')");
	assert_int_equal(mue_presence_poll_s(f->presence), 3723);
	sql(f, "UPDATE config SET value = 'nonsense'");
	assert_int_equal(mue_presence_poll_s(f->presence), 0);
}

static void a_large_fleet_is_found_again(void **state)
{
	struct fixture *f = *state;
	struct mue_presence_counts counts;
	char name[32];

	sql(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
	       " INSERT INTO target (controller_id, name, security_token, created_at, created_by,"
	       " modified_at, modified_by) SELECT 'd' || i, 'd', 't', " WHO " FROM n");
	mue_presence_count(f->presence, &counts);
	assert_int_equal(counts.targets, 20000);
	for (int i = 1; i <= 20000; i += 7) {
		snprintf(name, sizeof name, "d%d", i);
		assert_int_equal(get(f, name).target_id, i);
	}
	sql(f, "DELETE FROM target WHERE id % 2 = 0");
	mue_presence_count(f->presence, &counts);
	assert_int_equal(counts.targets, 10000);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_target_is_known_from_its_commit_on),
		CASE(the_offer_follows_the_actions),
		CASE(last_seen_is_flushed_and_survives_a_reload),
		CASE(tokens_are_compared_whole),
		CASE(the_polling_time_of_the_operator_counts),
		CASE(a_large_fleet_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
