#include "server/jobs.h"

#include "host/log.h"
#include "server/presence.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { FLUSH_MS = 10000, JOBS_MAX = 32 };

struct entry {
	const struct mue_job *job;
	int64_t due_ms;
};

struct mue_jobs {
	struct mue_server *server;
	struct entry entries[JOBS_MAX];
	unsigned count;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool kicked, ending;
};

static int flush_seen(struct mue_server *server, struct mue_error *e)
{
	return mue_presence_flush(server->presence, server->store, e);
}

const struct mue_job mue_jobs_server[] = {
	{ "last-seen", FLUSH_MS, flush_seen },
	{ 0 },
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void run_due(struct mue_jobs *j, bool all)
{
	for (unsigned i = 0; i < j->count; i++) {
		struct entry *x = &j->entries[i];
		struct mue_error e = { 0 };

		/* A kick is about rollouts; what was last seen can wait for its time. */
		if (x->due_ms > now_ms() && !(all && x->job->run != flush_seen))
			continue;
		if (x->job->run(j->server, &e) < 0)
			mue_log(MUE_LOG_ERROR, "job.failed", "job", x->job->name, "verdict",
				mue_err_name(e.code), "why", e.text, NULL);
		x->due_ms = now_ms() + x->job->period_ms;
	}
}

static void wait_for_work(struct mue_jobs *j)
{
	int64_t due = now_ms() + 60000;
	struct timespec until;

	for (unsigned i = 0; i < j->count; i++)
		if (j->entries[i].due_ms < due)
			due = j->entries[i].due_ms;
	until.tv_sec = due / 1000;
	until.tv_nsec = due % 1000 * 1000000;
	while (!j->kicked && !j->ending && now_ms() < due)
		pthread_cond_timedwait(&j->wake, &j->lock, &until);
}

static void *work(void *arg)
{
	struct mue_jobs *j = arg;

	pthread_mutex_lock(&j->lock);
	while (!j->ending) {
		bool kicked = j->kicked;

		j->kicked = false;
		pthread_mutex_unlock(&j->lock);
		run_due(j, kicked);
		pthread_mutex_lock(&j->lock);
		wait_for_work(j);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

int mue_jobs_start(struct mue_server *server, const struct mue_job *const *tables, unsigned count,
		   struct mue_error *e)
{
	struct mue_jobs *j = calloc(1, sizeof *j);
	pthread_condattr_t monotonic;

	if (!j)
		return mue_fail(e, MUE_ENOMEM, "out of memory");
	j->server = server;
	for (unsigned t = 0; t < count; t++)
		for (const struct mue_job *job = tables[t]; job->name && j->count < JOBS_MAX; job++)
			j->entries[j->count++] = (struct entry){ job, now_ms() + job->period_ms };
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&j->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	j->kicked = true; /* what a stopped server left undone */
	server->jobs = j;
	if (pthread_create(&j->thread, NULL, work, j) != 0) {
		server->jobs = NULL;
		free(j);
		return mue_fail(e, MUE_ENOMEM, "cannot start the thread of the jobs");
	}
	return 0;
}

void mue_jobs_stop(struct mue_server *server)
{
	struct mue_jobs *j = server->jobs;

	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->ending = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
	pthread_cond_destroy(&j->wake);
	pthread_mutex_destroy(&j->lock);
	free(j);
	server->jobs = NULL;
}

void mue_jobs_kick(struct mue_server *server)
{
	struct mue_jobs *j = server->jobs;

	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->kicked = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
}
