/*
 * The rollout engine over the real store with 10,000 targets, in a process that is killed again and
 * again: whatever the moment, the end is the one that the devices' answers alone decide.
 */
#include "server/fleet/rollout.h"
#include "server/store/mgmt_action.h"
#include "server/store/rollout.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TARGETS = 10000, GROUPS = 5, REPORTS = 80, KILLS_WANTED = 10 };

struct group_plan {
	const char *percentage, *success, *error;
	int64_t max_targets; /* 0: by percentage */
	uint32_t size;       /* what the planner must make of it */
};

struct scenario {
	const char *says;
	struct group_plan groups[GROUPS];
	int bad_group;    /* every third target of it fails; -1: none does */
	const char *ends; /* the rollout's state */
};

static const struct scenario scenarios[] = {
	{ "everybody is reached",
	  { { "100", "100", "0", 1, 1 },
	    { "1", "98", "2", 0, 100 },
	    { "10", "90", "5", 0, 990 },
	    { "50", "90", "5", 0, 4455 },
	    { "100", "50", "5", 0, 4454 } },
	  -1,
	  "finished" },
	{ "a bad wave stops and the rest is untouched",
	  { { "100", "100", "0", 1, 1 },
	    { "1", "98", "2", 0, 100 },
	    { "10", "90", "5", 0, 990 },
	    { "50", "90", "5", 0, 4455 },
	    { "100", "50", "5", 0, 4454 } },
	  2,
	  "paused" },
};

/* One target in a hundred fails anyway.  Decided by the target alone: order must not matter. */
static bool fails(const struct scenario *s, int64_t target_id, int64_t position)
{
	uint64_t h = (uint64_t)target_id * 0x9e3779b97f4a7c15u;

	if (position == s->bad_group)
		return target_id % 3 == 0;
	return position > 1 && (h >> 40) % 100 == 0;
}

#define OK(call)                                           \
	do {                                               \
		struct mue_error e = { 0 };                \
		if ((call) < 0)                            \
			fail_msg("%s: %s", #call, e.text); \
	} while (0)

/* ---- the fleet ---- */

static int make_fleet(struct mue_db *db, void *arg, struct mue_error *e)
{
	const struct scenario *s = arg;
	int r = mue_db_exec(db, e,
			    "INSERT INTO dist_set (id, type_id, name, version, created_at,"
			    " created_by, modified_at, modified_by)"
			    " VALUES (1, 1, 'app', '2', 0, '', 0, '')",
			    NULL);

	for (int i = 1; i <= TARGETS && r == 0; i++) {
		char id[16];

		snprintf(id, sizeof(id), "dev-%05d", i);
		r = mue_db_exec(db, e,
				"INSERT INTO target (id, controller_id, name, security_token,"
				" created_at, created_by, modified_at, modified_by)"
				" VALUES (?, ?, ?, '', 0, '', 0, '')",
				"itt", (int64_t)i, id, id);
	}
	if (r == 0)
		r = mue_db_exec(db, e,
				"INSERT INTO rollout (id, name, set_id, filter, status, created_at,"
				" created_by, modified_at, modified_by) VALUES (1, 'r', 1,"
				" 'controllerid==dev-*', 'creating', 0, '', 0, '')",
				NULL);
	for (int i = 0; i < GROUPS && r == 0; i++)
		r = mue_db_exec(db, e,
				"INSERT INTO rollout_group (rollout_id, position, name, percentage,"
				" max_targets, status, success_threshold, error_threshold,"
				" error_action, created_at, created_by, modified_at, modified_by)"
				" VALUES (1, ?, 'g', CAST(? AS REAL), NULLIF(?, 0), 'creating', ?,"
				" ?, 'pause', 0, '', 0, '')",
				"ititt", (int64_t)i, s->groups[i].percentage,
				s->groups[i].max_targets, s->groups[i].success, s->groups[i].error);
	if (r == 0)
		r = mue_rollout_plan(db, 1, 0, e);
	if (r == 0)
		r = mue_rollout_event(db, 1, MUE_ROLLOUT_EV_PLANNED, NULL, "test", e);
	return r == 0 ? mue_rollout_event(db, 1, MUE_ROLLOUT_EV_START, NULL, "test", e) : r;
}

/* ---- the process that is killed ---- */

struct work {
	const struct scenario *s;
	int more, reports;
};

static int tick(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct work *w = arg;

	w->more = mue_rollout_tick(db, 1, e);
	return w->more < 0 ? w->more : 0;
}

struct answer {
	int64_t action;
	bool failed;
};

/* Devices that have something to report, from a random place on. */
static int choose(struct mue_db *db, struct work *w, struct answer *ret, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = mue_db_query(db, &rows, e,
			     "SELECT a.id, a.target_id, g.position FROM action a"
			     " JOIN rollout_group g ON g.id = a.group_id WHERE a.active = 1"
			     " AND a.status = 'running' ORDER BY a.target_id < ?, a.target_id"
			     " LIMIT ?",
			     "ii", (int64_t)(rand() % TARGETS), (int64_t)(1 + rand() % REPORTS));

	w->reports = 0;
	while (r == 0) {
		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		ret[w->reports].action = mue_rows_int(&rows, 0);
		ret[w->reports++].failed = fails(w->s, mue_rows_int(&rows, 1),
						 mue_rows_int(&rows, 2));
		r = 0;
	}
	mue_rows_end(&rows);
	return r;
}

static int report(struct mue_db *db, void *arg, struct mue_error *e)
{
	struct work *w = arg;
	struct answer answers[REPORTS];
	int r = choose(db, w, answers, e);

	for (int i = 0; i < w->reports && r >= 0; i++)
		r = mue_action_say(db, answers[i].action,
				   answers[i].failed ? MUE_EVENT_FAIL : MUE_EVENT_SUCCEED, "report",
				   "device", e);
	return r < 0 ? r : 0;
}

/* Runs until nothing moves; exits 0 then. */
static void run(const char *path, const struct scenario *s, unsigned seed)
{
	struct work w = { .s = s, .reports = 1 };
	struct mue_store *store;
	struct mue_error e;

	srand(seed);
	if (mue_store_open(path, &store, &e) < 0)
		_exit(2);
	do {
		do {
			if (mue_store_write(store, tick, &w, &e) < 0)
				_exit(3);
		} while (w.more > 0);
		if (mue_store_write(store, report, &w, &e) < 0)
			_exit(4);
	} while (w.reports > 0);
	_exit(0);
}

/* How long the process needs when nobody kills it, microseconds: the kills are spread over that, so
 * that their number does not hang on the machine's speed. */
static unsigned run_uncut(const char *path, const struct scenario *s)
{
	struct timespec from, to;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &from);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run(path, s, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (unsigned)((to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000);
}

/* Starts the process again and again, kills it after a random while.  Returns the kills. */
static int run_with_kills(const char *path, const struct scenario *s, unsigned uncut_us)
{
	int kills = 0;

	for (unsigned turn = 1;; turn++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0)
			run(path, s, turn);
		if (kills < 3 * KILLS_WANTED) {
			usleep(2000 + (unsigned)rand() % (uncut_us / KILLS_WANTED + 1));
			kill(pid, SIGKILL);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return kills;
		}
		kills++;
	}
}

/* ---- the end ---- */

static int64_t number(struct mue_db *db, const char *sql)
{
	int64_t n = -1;

	OK(mue_db_int(db, &n, &e, sql, NULL));
	return n;
}

static void check_group(struct mue_db *db, const struct scenario *s, int position, bool reached)
{
	struct mue_group_counts c, expected = { 0 };
	struct mue_rows rows = { 0 };
	int64_t group = 0;

	OK(mue_db_int(db, &group, &e, "SELECT id FROM rollout_group WHERE position = ?", "i",
		      (int64_t)position));
	OK(mue_rollout_counts(db, 1, group, &c, &e));
	OK(mue_db_query(db, &rows, &e, "SELECT target_id FROM rollout_target WHERE group_id = ?",
			"i", group));
	for (;;) {
		struct mue_error e;

		if (mue_rows_next(&rows, &e) <= 0)
			break;
		if (!reached)
			expected.scheduled++;
		else if (fails(s, mue_rows_int(&rows, 0), position))
			expected.error++;
		else
			expected.finished++;
	}
	mue_rows_end(&rows);
	assert_int_equal(mue_group_total(&expected), s->groups[position].size);
	if (memcmp(&c, &expected, sizeof(c)) != 0)
		fail_msg("%s, group %d: finished %u of %u, error %u of %u, scheduled %u of %u",
			 s->says, position, c.finished, expected.finished, c.error, expected.error,
			 c.scheduled, expected.scheduled);
}

static int check(struct mue_db *db, void *arg, struct mue_error *unused)
{
	const struct scenario *s = arg;
	char sql[128];

	(void)unused;
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM rollout WHERE status = '%s'", s->ends);
	assert_int_equal(number(db, sql), 1);
	for (int i = 0; i < GROUPS; i++)
		check_group(db, s, i, s->bad_group < 0 || i <= s->bad_group);
	/* None twice, none skipped. */
	assert_int_equal(number(db, "SELECT count(*) FROM action"), TARGETS);
	assert_int_equal(number(db, "SELECT count(DISTINCT target_id) FROM action"), TARGETS);
	assert_int_equal(number(db, "SELECT count(*) FROM (SELECT action_id FROM action_status"
				    " WHERE status IN ('finished', 'error') GROUP BY action_id"
				    " HAVING count(*) > 1)"),
			 0);
	assert_int_equal(number(db,
				"SELECT count(*) FROM target t WHERE (installed_set IS NOT NULL)"
				" <> EXISTS (SELECT 1 FROM action a WHERE a.target_id = t.id"
				" AND a.status = 'finished')"),
			 0);
	return 0;
}

static void make_store(char *folder, char path[64], const struct scenario *s)
{
	struct scenario copy = *s;
	struct mue_store *store;

	assert_non_null(mkdtemp(folder));
	snprintf(path, 64, "%s/mue.db", folder);
	OK(mue_store_open(path, &store, &e));
	OK(mue_store_write(store, make_fleet, &copy, &e));
	mue_store_close(store);
}

static void check_and_remove(const char *folder, const char *path, const struct scenario *s)
{
	struct scenario copy = *s;
	struct mue_store *store;

	OK(mue_store_open(path, &store, &e));
	OK(mue_store_read(store, check, &copy, &e));
	mue_store_close(store);
	for (const char *const *end = (const char *const[]){ "", "-wal", "-shm", NULL }; *end;
	     end++) {
		char file[96];

		snprintf(file, sizeof(file), "%s%s", path, *end);
		unlink(file);
	}
	rmdir(folder);
}

static void killed_anywhere_it_ends_the_same(void **state)
{
	(void)state;
	srand(1);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		const struct scenario *s = &scenarios[i];
		char calm[] = "/tmp/mue-rollout-XXXXXX", cut[] = "/tmp/mue-rollout-XXXXXX";
		char path[64];
		unsigned uncut_us;
		int kills;

		make_store(calm, path, s);
		uncut_us = run_uncut(path, s);
		check_and_remove(calm, path, s);
		make_store(cut, path, s);
		kills = run_with_kills(path, s, uncut_us);
		print_message("# %s: %d targets, killed %d times\n", s->says, TARGETS, kills);
		check_and_remove(cut, path, s);
		assert_true(kills >= KILLS_WANTED);
	}
}

/* ---- planning by what devices are ---- */

#define TRACK "0, '', 0, ''"

/* A set made for one vendor and class; devices that say so, say otherwise, or say nothing. */
static int plan_mixed_fleet(struct mue_db *db, void *arg, struct mue_error *e)
{
	static const char *const sql[] = {
		"INSERT INTO dist_set (id, type_id, name, version, created_at, created_by,"
		" modified_at, modified_by) VALUES (1, 1, 'app', '2', " TRACK ")",
		"INSERT INTO module (id, type_id, name, version, created_at, created_by,"
		" modified_at, modified_by) VALUES (1, 1, 'app', '2', " TRACK ")",
		"INSERT INTO set_module (set_id, module_id) VALUES (1, 1)",
		"INSERT INTO artifact (module_id, filename, size, sha256, sha1, md5, created_at,"
		" created_by, sequence, vendor, class) VALUES (1, 'a.suit', 1, '', '', '', 0, '', "
		"2,"
		" '11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222')",
		"INSERT INTO target (id, controller_id, name, security_token, created_at,"
		" created_by, modified_at, modified_by) VALUES (1, 'ours', '', '', " TRACK
		"), (2, 'other-class', '', '', " TRACK "), (3, 'other-vendor', '', '', " TRACK
		"), (4, 'silent', '', '', " TRACK "), (5, 'ours-too', '', '', " TRACK ")",
		"INSERT INTO target_attribute (target_id, key, value) VALUES"
		" (1, 'mue.vendor', '11111111-1111-4111-8111-111111111111'),"
		" (1, 'mue.class', '22222222-2222-4222-8222-222222222222'),"
		" (5, 'mue.vendor', '11111111-1111-4111-8111-111111111111'),"
		" (2, 'mue.vendor', '11111111-1111-4111-8111-111111111111'),"
		" (2, 'mue.class', '33333333-3333-4333-8333-333333333333'),"
		" (3, 'mue.vendor', 'example.org'), (3, 'mue.class', 'gateway')",
		"INSERT INTO rollout (id, name, set_id, filter, status, created_at, created_by,"
		" modified_at, modified_by) VALUES (1, 'r', 1, 'id==*', 'creating', " TRACK ")",
		"INSERT INTO rollout_group (id, rollout_id, position, name, status, created_at,"
		" created_by, modified_at, modified_by) VALUES (1, 1, 0, 'g', 'creating', " TRACK
		")",
	};
	int r = 0;

	(void)arg;
	for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]) && r == 0; i++)
		r = mue_db_exec(db, e, sql[i], NULL);
	if (r == 0)
		r = mue_rollout_plan(db, 1, 0, e);
	if (r == 0) {
		assert_int_equal(number(db, "SELECT total FROM rollout"), 3);
		assert_int_equal(number(db, "SELECT count(*) FROM rollout_target"), 3);
		assert_int_equal(number(db, "SELECT count(*) FROM rollout_target"
					    " WHERE target_id IN (1, 4, 5)"),
				 3);
	}
	return r;
}

static void other_classes_are_not_in_the_plan(void **state)
{
	char folder[] = "/tmp/mue-rollout-XXXXXX", path[64], file[96];
	struct mue_store *store;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/mue.db", folder);
	OK(mue_store_open(path, &store, &e));
	OK(mue_store_write(store, plan_mixed_fleet, NULL, &e));
	mue_store_close(store);
	for (const char *const *end = (const char *const[]){ "", "-wal", "-shm", NULL }; *end;
	     end++) {
		snprintf(file, sizeof(file), "%s%s", path, *end);
		unlink(file);
	}
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_classes_are_not_in_the_plan),
		cmocka_unit_test(killed_anywhere_it_ends_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
