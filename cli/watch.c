/* watch.c - `mue rollout watch`: live on a terminal, one line a change elsewhere. */
#include "cli/progress.h"
#include "cli/term.h"

#include <string.h>
#include <time.h>

struct watch_opts {
	uint64_t timeout_s, interval_ms;
};

static const struct mue_opt table[] = {
	{ .name = "timeout",
	  .letter = 't',
	  .kind = MUE_OPT_NUMBER,
	  .at = offsetof(struct watch_opts, timeout_s),
	  .value = "SECONDS",
	  .help = "give up after so long (default: never)",
	  .min = 1,
	  .max = 31536000 },
	{ .name = "interval",
	  .kind = MUE_OPT_NUMBER,
	  .at = offsetof(struct watch_opts, interval_ms),
	  .value = "MS",
	  .help = "milliseconds between two looks (default 1000)",
	  .min = 50,
	  .max = 3600000,
	  .unset = 1000 },
	{ .name = NULL },
};

/* Over, and how: -1: it goes on. */
static int outcome(const char *status)
{
	static const struct {
		const char *status;
		int exit;
	} ends[] = {
		{ "finished", MUE_EXIT_OK },     { "stopped", MUE_EXIT_STOPPED },
		{ "paused", MUE_EXIT_STOPPED },  { "approval_denied", MUE_EXIT_STOPPED },
		{ "deleted", MUE_EXIT_STOPPED },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(ends[i].status, status) == 0)
			return ends[i].exit;
	return -1;
}

/* Elsewhere than on a terminal: what changed since `old`, one line each. */
static void print_changes(FILE *f, const struct mue_rollout_view *old,
			  const struct mue_rollout_view *now)
{
	char line[300];

	if (strcmp(old->status, now->status) != 0)
		fprintf(f, "rollout %s: %s\n", now->name, now->status);
	for (size_t i = 0; i < now->groups; i++) {
		if (memcmp(&old->group[i], &now->group[i], sizeof(now->group[i])) == 0)
			continue;
		mue_group_line(&now->group[i], line, sizeof(line));
		fprintf(f, "%s\n", line);
	}
	if (strcmp(old->reason, now->reason) != 0 && now->reason[0])
		fprintf(f, "  why: %s\n", now->reason);
	fflush(f);
}

/* On a terminal: the block is drawn over the one before. */
static unsigned redraw(FILE *f, const struct mue_rollout_view *now, unsigned lines)
{
	if (lines)
		fprintf(f, "\033[%uA\033[J", lines);
	lines = mue_rollout_print(f, now);
	fflush(f);
	return lines;
}

/* A server that restarts is no reason to stop watching; one that stays away is. */
static bool may_pass(int verdict, unsigned *failures)
{
	enum { PATIENCE = 10 };

	if (verdict != MUE_ELINK && verdict != MUE_ETIMEOUT && verdict != MUE_EBUSY &&
	    verdict != MUE_EIO)
		return false;
	return ++*failures < PATIENCE;
}

static int watch(struct mue_cli *cli, struct mue_api *api, const struct watch_opts *o, int64_t id,
		 struct mue_error *e)
{
	struct timespec pause = { (time_t)(o->interval_ms / 1000),
				  (long)(o->interval_ms % 1000) * 1000000 };
	time_t end = o->timeout_s ? time(NULL) + (time_t)o->timeout_s : 0;
	struct mue_rollout_view old = { .id = 0 }, now = { .id = 0 };
	unsigned lines = 0, failures = 0;

	for (;;) {
		int r = mue_rollout_fetch(api, id, &now, e);

		if (r < 0 && !may_pass(r, &failures))
			return r;
		if (r < 0) {
			nanosleep(&pause, NULL);
			continue;
		}
		failures = 0;
		if (cli->tty)
			lines = redraw(cli->out, &now, lines);
		else
			print_changes(cli->out, &old, &now);
		r = outcome(now.status);
		if (r >= 0)
			return r;
		if (end && time(NULL) >= end)
			return mue_fail(e, MUE_ETIMEOUT, "rollout %s is still %s", now.name,
					now.status);
		old = now;
		nanosleep(&pause, NULL);
	}
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	struct mue_api api;
	json_t *j = NULL;
	int64_t id;
	int r = mue_api_open(cli, &api, e);

	if (r < 0)
		return r;
	r = mue_rollout_find(&api, args->v[0], &j, e);
	if (r == MUE_OK) {
		id = mue_json_int(j, "id", 0);
		json_decref(j);
		r = watch(cli, &api, opts, id, e);
	}
	mue_api_close(&api);
	return r;
}

const struct mue_cmd mue_cmd_rollout_watch = {
	.name = "rollout watch",
	.args = "NAME|ID",
	.summary = "follow a rollout until it is over",
	.more = "Exit code 0: finished.  6: it was paused or stopped, by a person or by its "
		"errors.",
	.examples = "  $ mue rollout watch app-2.1\n"
		    "  $ mue rollout watch app-2.1 --timeout 600 || echo 'halted'",
	.opts = table,
	.opts_size = sizeof(struct watch_opts),
	.shared = MUE_SHARE_SERVER,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
