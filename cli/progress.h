/*
 * progress.h - a rollout with its groups: fetched once, shown as lines.
 */
#ifndef MUE_CLI_PROGRESS_H
#define MUE_CLI_PROGRESS_H

#include "cli/api.h"
#include "cli/stages.h"

struct mue_group_view {
	char name[65], status[24];
	unsigned total, finished, error, running, cancelled;
};

struct mue_rollout_view {
	int64_t id;
	char name[65], status[24], release[140], reason[200];
	unsigned total;
	struct mue_group_view group[MUE_STAGES_MAX];
	size_t groups;
};

/* The rollout called `name`, or whose id it is; *ret: its JSON.  MUE_ENOTFOUND with a sentence. */
int mue_rollout_find(struct mue_api *api, const char *name, json_t **ret, struct mue_error *e);

/* Fetches rollout `id` and its groups. */
int mue_rollout_fetch(struct mue_api *api, int64_t id, struct mue_rollout_view *ret,
		      struct mue_error *e);

/* One line of a group: name, state, bar, counts; no newline. */
void mue_group_line(const struct mue_group_view *g, char *ret, size_t ret_size);

/* The rollout's line and one a group; returns how many lines. */
unsigned mue_rollout_print(FILE *f, const struct mue_rollout_view *v);

#endif
