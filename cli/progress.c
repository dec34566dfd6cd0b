#include "cli/progress.h"

#include "cli/term.h"

#include <inttypes.h>
#include <string.h>

int mue_rollout_find(struct mue_api *api, const char *name, json_t **ret, struct mue_error *e)
{
	char query[300];
	uint64_t id;
	int r;

	if (strlen(name) > 128 || strpbrk(name, "\"\\"))
		return mue_fail(e, MUE_EINVAL, "no rollout has such a name");
	snprintf(query, sizeof(query), "name==\"%s\"", name);
	r = mue_api_find(api, "/rest/v1/rollouts", query, ret, e);
	if (r != MUE_ENOTFOUND)
		return r;
	if (mue_opt_number(name, 1, INT64_MAX, &id) == MUE_OK) {
		*ret = NULL;
		r = mue_api_get_maybe(api, ret, e, "/rest/v1/rollouts/%" PRIu64, id);
		if (r < 0 || *ret)
			return r;
	}
	api->cli->exit = MUE_EXIT_SERVER;
	return mue_fail(e, MUE_ENOTFOUND, "there is no rollout \"%s\"; see: mue rollout list",
			name);
}

static unsigned count(const json_t *o, const char *key)
{
	return (unsigned)mue_json_int(json_object_get(o, "totalTargetsPerStatus"), key, 0);
}

static void read_group(const json_t *j, struct mue_group_view *g)
{
	mue_term_safe(mue_json_str(j, "name", "?"), g->name, sizeof(g->name));
	mue_term_safe(mue_json_str(j, "status", "?"), g->status, sizeof(g->status));
	g->total = (unsigned)mue_json_int(j, "totalTargets", 0);
	g->finished = count(j, "finished");
	g->error = count(j, "error");
	g->running = count(j, "running");
	g->cancelled = count(j, "cancelled");
}

/* "NAME:VERSION" of the rollout's distribution set, for people. */
static int read_release(struct mue_api *api, int64_t id, struct mue_rollout_view *v,
			struct mue_error *e)
{
	json_t *set = NULL;
	char name[70], version[65];
	int r = mue_api_get_maybe(api, &set, e, "/rest/v1/distributionsets/%" PRId64, id);

	if (r < 0)
		return r;
	mue_term_safe(mue_json_str(set, "name", "?"), name, sizeof(name));
	mue_term_safe(mue_json_str(set, "version", "?"), version, sizeof(version));
	snprintf(v->release, sizeof(v->release), "%s:%s", name, version);
	json_decref(set);
	return MUE_OK;
}

int mue_rollout_fetch(struct mue_api *api, int64_t id, struct mue_rollout_view *ret,
		      struct mue_error *e)
{
	struct mue_rollout_view v = { .id = id };
	json_t *j = NULL, *groups = NULL;
	char path[100];
	int r = mue_api_get(api, &j, e, "/rest/v1/rollouts/%" PRId64, id);

	if (r < 0)
		return r;
	mue_term_safe(mue_json_str(j, "name", "?"), v.name, sizeof(v.name));
	mue_term_safe(mue_json_str(j, "status", "?"), v.status, sizeof(v.status));
	mue_term_safe(mue_json_str(j, "statusReason", ""), v.reason, sizeof(v.reason));
	v.total = (unsigned)mue_json_int(j, "totalTargets", 0);
	r = read_release(api, mue_json_int(j, "distributionSetId", 0), &v, e);
	json_decref(j);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/rest/v1/rollouts/%" PRId64 "/deploygroups", id);
	r = mue_api_list(api, path, NULL, &groups, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_array_size(groups) && i < MUE_STAGES_MAX; i++)
		read_group(json_array_get(groups, i), &v.group[v.groups++]);
	json_decref(groups);
	*ret = v;
	return MUE_OK;
}

void mue_group_line(const struct mue_group_view *g, char *ret, size_t ret_size)
{
	char bar[64], running[32] = "", error[32] = "", cancelled[32] = "";

	if (g->running)
		snprintf(running, sizeof(running), ", %u under way", g->running);
	if (g->error)
		snprintf(error, sizeof(error), ", %u FAILED", g->error);
	if (g->cancelled)
		snprintf(cancelled, sizeof(cancelled), ", %u cancelled", g->cancelled);
	snprintf(ret, ret_size, "  %-16s %-10s [%s] %u of %u%s%s%s", g->name, g->status,
		 mue_term_bar(g->finished, g->total, 20, bar), g->finished, g->total, running,
		 error, cancelled);
}

unsigned mue_rollout_print(FILE *f, const struct mue_rollout_view *v)
{
	unsigned lines = 1;
	char line[300];

	fprintf(f, "rollout %s: %s, %s, %u target%s\n", v->name, v->status, v->release, v->total,
		v->total == 1 ? "" : "s");
	for (size_t i = 0; i < v->groups; i++, lines++) {
		mue_group_line(&v->group[i], line, sizeof(line));
		fprintf(f, "%s\n", line);
	}
	if (v->reason[0]) {
		fprintf(f, "  why: %s\n", v->reason);
		lines++;
	}
	return lines;
}
