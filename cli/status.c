/* status.c - `mue status`: what is rolling, and which versions the devices run. */
#include "cli/progress.h"
#include "cli/term.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* What is over is in `mue rollout list`; what stopped is shown for a day more. */
static bool is_news(const json_t *rollout)
{
	const char *status = mue_json_str(rollout, "status", "");
	int64_t age_s = (int64_t)time(NULL) - mue_json_int(rollout, "lastModifiedAt", 0) / 1000;

	if (strcmp(status, "finished") == 0)
		return false;
	return strcmp(status, "stopped") != 0 || age_s < 86400;
}

static int rollouts(struct mue_cli *cli, struct mue_api *api, struct mue_error *e)
{
	json_t *list = NULL;
	size_t shown = 0;
	int r = mue_api_list(api, "/rest/v1/rollouts", NULL, &list, e);

	for (size_t i = 0; r == MUE_OK && i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		struct mue_rollout_view v;

		if (!is_news(j))
			continue;
		r = mue_rollout_fetch(api, mue_json_int(j, "id", 0), &v, e);
		if (r == MUE_OK)
			mue_rollout_print(cli->out, &v);
		shown++;
	}
	if (r == MUE_OK && shown == 0)
		fputs("no rollout under way\n", cli->out);
	json_decref(list);
	return r;
}

static void version_line(FILE *f, const char *what, uint64_t n, uint64_t total)
{
	char bar[64];

	fprintf(f, "  %-26s [%s] %" PRIu64 " of %" PRIu64 "\n", what,
		mue_term_bar(n, total, 20, bar), n, total);
}

/* One count per release that somebody runs; the rest runs what the server never gave it. */
static int versions(struct mue_cli *cli, struct mue_api *api, struct mue_error *e)
{
	uint64_t total = 0, known = 0;
	json_t *sets = NULL;
	int r = mue_api_count(api, "/rest/v1/targets", NULL, &total, e);

	if (r == MUE_OK)
		r = mue_api_list(api, "/rest/v1/distributionsets", NULL, &sets, e);
	if (r == MUE_OK)
		fprintf(cli->out, "\n%" PRIu64 " target%s by installed release:\n", total,
			total == 1 ? "" : "s");
	for (size_t i = 0; r == MUE_OK && i < json_array_size(sets); i++) {
		const json_t *set = json_array_get(sets, i);
		char query[80], name[70], version[65], what[140];
		uint64_t n = 0;

		snprintf(query, sizeof(query), "installedds.id==%" PRId64,
			 mue_json_int(set, "id", 0));
		r = mue_api_count(api, "/rest/v1/targets", query, &n, e);
		if (r < 0 || n == 0)
			continue;
		mue_term_safe(mue_json_str(set, "name", "?"), name, sizeof(name));
		mue_term_safe(mue_json_str(set, "version", "?"), version, sizeof(version));
		snprintf(what, sizeof(what), "%s:%s", name, version);
		version_line(cli->out, what, n, total);
		known += n;
	}
	if (r == MUE_OK && known < total)
		version_line(cli->out, "none of the server's", total - known, total);
	json_decref(sets);
	return r;
}

static int states(struct mue_cli *cli, struct mue_api *api, struct mue_error *e)
{
	static const char *const names[] = { "in_sync", "pending", "error", "registered",
					     "unknown" };
	int r = MUE_OK;

	fputs("states:", cli->out);
	for (size_t i = 0; r == MUE_OK && i < sizeof(names) / sizeof(names[0]); i++) {
		char query[60];
		uint64_t n = 0;

		snprintf(query, sizeof(query), "updatestatus==%s", names[i]);
		r = mue_api_count(api, "/rest/v1/targets", query, &n, e);
		if (r == MUE_OK && n > 0)
			fprintf(cli->out, "  %s %" PRIu64, names[i], n);
	}
	fputc('\n', cli->out);
	return r;
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	struct mue_api api;
	int r = mue_api_open(cli, &api, e);

	(void)opts;
	(void)args;
	if (r < 0)
		return r;
	r = rollouts(cli, &api, e);
	if (r == MUE_OK)
		r = versions(cli, &api, e);
	if (r == MUE_OK)
		r = states(cli, &api, e);
	mue_api_close(&api);
	return r;
}

const struct mue_cmd mue_cmd_status = {
	.name = "status",
	.args = "",
	.summary = "overview: rollouts under way, devices by version and state",
	.examples = "  $ mue status\n  $ watch -n 2 mue status",
	.shared = MUE_SHARE_SERVER,
	.run = run,
};
