/*
 * One thread writes.  It takes every job that waits, runs them in one transaction with a savepoint
 * each, commits once (one fsync), then wakes the callers: the more reports arrive together, the
 * less each costs.
 */
#include "server/store/db.h"
#include "server/store/schema.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_MAX = 1024 };

struct job {
	mue_store_fn *fn;
	void *arg;
	struct mue_error *error;
	int result;
	bool done;
	pthread_cond_t wake;
	struct job *next;
};

struct mue_store {
	char *path;
	struct mue_db *writer;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct job *first, **last;
	bool ending;
	struct mue_store_stats stats;

	pthread_mutex_t readers_lock;
	struct mue_db *readers;

	/* The writer's alone: targets touched by the running group. */
	int64_t *touched;
	size_t touched_count, touched_room;
	mue_store_touched_fn *on_touched;
	void *on_touched_ctx;
};

static void touch(struct mue_store *s, int64_t id)
{
	for (size_t i = s->touched_count; i > 0 && i + 64 > s->touched_count; i--)
		if (s->touched[i - 1] == id)
			return;
	if (s->touched_count == s->touched_room) {
		size_t room = s->touched_room ? 2 * s->touched_room : 256;
		int64_t *more = reallocarray(s->touched, room, sizeof *more);

		if (!more)
			abort(); /* the RAM view of the fleet would be wrong from here on */
		s->touched = more;
		s->touched_room = room;
	}
	s->touched[s->touched_count++] = id;
}

static void sql_touch(sqlite3_context *c, int argc, sqlite3_value **argv)
{
	(void)argc;
	touch(sqlite3_user_data(c), sqlite3_value_int64(argv[0]));
	sqlite3_result_null(c);
}

static int run_one(struct mue_db *db, struct job *j)
{
	struct mue_error ignored;
	int r = mue_db_exec(db, j->error, "SAVEPOINT job", NULL);

	if (r < 0)
		return r;
	r = j->fn(db, j->arg, j->error);
	if (r < 0) {
		mue_db_exec(db, &ignored, "ROLLBACK TO job", NULL);
		mue_db_exec(db, &ignored, "RELEASE job", NULL);
		return r;
	}
	return mue_db_exec(db, j->error, "RELEASE job", NULL);
}

static int run_group(struct mue_store *s, struct job *jobs)
{
	struct mue_error e = { 0 }, ignored;
	int r = mue_db_exec(s->writer, &e, "BEGIN IMMEDIATE", NULL);

	if (r < 0)
		goto fail;
	for (struct job *j = jobs; j; j = j->next)
		j->result = run_one(s->writer, j);
	r = mue_db_exec(s->writer, &e, "COMMIT", NULL);
	if (r == 0)
		return 0;
	mue_db_exec(s->writer, &ignored, "ROLLBACK", NULL);
fail:
	for (struct job *j = jobs; j; j = j->next) {
		j->result = r;
		if (j->error)
			*j->error = e;
	}
	return r;
}

static struct job *take(struct mue_store *s)
{
	struct job *jobs = s->first, *j = jobs;

	for (unsigned n = 1; j && j->next && n < GROUP_MAX; n++)
		j = j->next;
	if (!j)
		return NULL;
	s->first = j->next;
	if (!s->first)
		s->last = &s->first;
	j->next = NULL;
	return jobs;
}

static void finish(struct mue_store *s, struct job *jobs)
{
	s->stats.commits++;
	for (struct job *j = jobs, *next; j; j = next) {
		next = j->next;
		s->stats.writes++;
		s->stats.failed += j->result < 0;
		j->done = true;
		pthread_cond_signal(&j->wake); /* *j may be gone once the lock is free */
	}
}

static void *writer(void *arg)
{
	struct mue_store *s = arg;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		struct job *jobs = take(s);

		if (jobs) {
			pthread_mutex_unlock(&s->lock);
			s->touched_count = 0;
			if (run_group(s, jobs) == 0 && s->on_touched && s->touched_count)
				s->on_touched(s->on_touched_ctx, s->writer, s->touched,
					      s->touched_count);
			pthread_mutex_lock(&s->lock);
			finish(s, jobs);
		} else if (s->ending) {
			break;
		} else {
			pthread_cond_wait(&s->work, &s->lock);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int mue_store_write(struct mue_store *s, mue_store_fn *fn, void *arg, struct mue_error *e)
{
	struct job j = { .fn = fn, .arg = arg, .error = e };

	pthread_cond_init(&j.wake, NULL);
	pthread_mutex_lock(&s->lock);
	*s->last = &j;
	/* cppcheck-suppress autoVariables ; this function waits until the writer is done with j */
	s->last = &j.next;
	pthread_cond_signal(&s->work);
	while (!j.done)
		pthread_cond_wait(&j.wake, &s->lock);
	pthread_mutex_unlock(&s->lock);
	pthread_cond_destroy(&j.wake);
	return j.result;
}

static struct mue_db *reader_take(struct mue_store *s, struct mue_error *e)
{
	struct mue_db *db;

	pthread_mutex_lock(&s->readers_lock);
	db = s->readers;
	if (db)
		s->readers = db->next;
	pthread_mutex_unlock(&s->readers_lock);
	if (!db && mue_db_open(s->path, false, &db, e) < 0)
		return NULL;
	return db;
}

int mue_store_read(struct mue_store *s, mue_store_fn *fn, void *arg, struct mue_error *e)
{
	struct mue_error ignored, own = { 0 };
	struct mue_db *db;
	int r;

	e = e ? e : &own;
	db = reader_take(s, e);
	if (!db)
		return e->code;
	r = mue_db_exec(db, e, "BEGIN", NULL);
	if (r == 0) {
		r = fn(db, arg, e);
		mue_db_exec(db, &ignored, "COMMIT", NULL);
	}
	pthread_mutex_lock(&s->readers_lock);
	db->next = s->readers;
	s->readers = db;
	pthread_mutex_unlock(&s->readers_lock);
	return r;
}

void mue_store_on_touched(struct mue_store *s, mue_store_touched_fn *fn, void *ctx)
{
	s->on_touched = fn;
	s->on_touched_ctx = ctx;
}

void mue_store_stats(struct mue_store *s, struct mue_store_stats *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->stats;
	pthread_mutex_unlock(&s->lock);
}

static int run_step(struct mue_db *db, const char *const *step, int version, struct mue_error *e)
{
	char set[64];
	int r = mue_db_script(db, "BEGIN IMMEDIATE", e);

	for (; r == 0 && *step; step++)
		r = mue_db_script(db, *step, e);
	if (r < 0)
		return r;
	snprintf(set, sizeof set, "PRAGMA user_version=%d; COMMIT", version);
	return mue_db_script(db, set, e);
}

static int migrate(struct mue_db *db, struct mue_error *e)
{
	const char *const *step;
	int64_t version;
	int r = mue_db_int(db, &version, e, "PRAGMA user_version", NULL);

	while (r == 0 && (step = mue_schema_step((unsigned)version)))
		r = run_step(db, step, (int)++version, e);
	if (r == 0 && version > 0 && !mue_schema_step((unsigned)version - 1))
		r = mue_fail(e, MUE_EFORMAT,
			     "the database has schema %d, newer than this program; "
			     "use the program that made it",
			     (int)version);
	return r;
}

static int open_writer(struct mue_store *s, const char *path, struct mue_error *e)
{
	int r = mue_db_open(path, true, &s->writer, e);

	if (r < 0)
		return r;
	if (sqlite3_create_function(s->writer->sqlite, "mue_touch", 1, SQLITE_UTF8, s, sql_touch,
				    NULL, NULL) != SQLITE_OK)
		return mue_db_fail(s->writer, e, "mue_touch");
	r = migrate(s->writer, e);
	if (r < 0)
		return r;
	return mue_db_script(s->writer, mue_schema_triggers(), e);
}

static void release(struct mue_store *s)
{
	mue_db_close(s->writer);
	while (s->readers) {
		struct mue_db *next = s->readers->next;

		mue_db_close(s->readers);
		s->readers = next;
	}
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->readers_lock);
	pthread_cond_destroy(&s->work);
	free(s->touched);
	free(s->path);
	free(s);
}

int mue_store_open(const char *path, struct mue_store **ret, struct mue_error *e)
{
	struct mue_store *s = calloc(1, sizeof *s);
	int r;

	if (!s)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	s->last = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->readers_lock, NULL);
	pthread_cond_init(&s->work, NULL);
	s->path = strdup(path);
	r = s->path ? open_writer(s, path, e) : mue_fail(e, MUE_ENOMEM, "out of memory");
	if (r == 0 && pthread_create(&s->thread, NULL, writer, s) != 0)
		r = mue_fail(e, MUE_ENOMEM, "cannot start the writer thread");
	if (r < 0) {
		release(s);
		return r;
	}
	*ret = s;
	return 0;
}

void mue_store_close(struct mue_store *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	release(s);
}
