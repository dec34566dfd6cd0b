/* rollout.c - `mue rollout create|list|show|start|pause|resume|stop`; `watch` has its own file. */
#include "cli/progress.h"
#include "cli/term.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* --- create --- */

struct create_opts {
	const char *ds, *filter, *stages, *on_error, *type, *description;
	uint64_t success, error;
	bool start, allow_empty;
};

#define AT(member) offsetof(struct create_opts, member)
static const struct mue_opt create_table[] = {
	{ .name = "ds",
	  .letter = 'd',
	  .kind = MUE_OPT_TEXT,
	  .at = AT(ds),
	  .value = "NAME:VERSION",
	  .help = "the release, as mue publish named it",
	  .required = true },
	{ .name = "stages",
	  .letter = 's',
	  .kind = MUE_OPT_TEXT,
	  .at = AT(stages),
	  .value = "LIST",
	  .help = "e.g. bench,1,30%,100%: a tag, a number of devices, shares of those left",
	  .required = true },
	{ .name = "filter",
	  .letter = 'f',
	  .kind = MUE_OPT_TEXT,
	  .at = AT(filter),
	  .value = "FIQL",
	  .help = "which devices at all (default: every one)" },
	{ .name = "success",
	  .kind = MUE_OPT_NUMBER,
	  .at = AT(success),
	  .value = "PERCENT",
	  .help = "so many of a stage must have confirmed before the next opens (default 100)",
	  .min = 1,
	  .max = 100,
	  .unset = 100 },
	{ .name = "error",
	  .kind = MUE_OPT_NUMBER,
	  .at = AT(error),
	  .value = "PERCENT",
	  .help = "more failures than this in a stage halt the rollout (default 1)",
	  .max = 100,
	  .unset = 1 },
	{ .name = "on-error",
	  .kind = MUE_OPT_CHOICE,
	  .at = AT(on_error),
	  .value = "WHAT",
	  .help = "pause (default): no stage opens until a person resumes; stop: for good",
	  .choices = "pause|stop" },
	{ .name = "type",
	  .kind = MUE_OPT_CHOICE,
	  .at = AT(type),
	  .value = "TYPE",
	  .help = "forced (default), soft, or downloadonly",
	  .choices = "forced|soft|downloadonly" },
	{ .name = "description",
	  .kind = MUE_OPT_TEXT,
	  .at = AT(description),
	  .value = "TEXT",
	  .help = "for those who look at it later" },
	{ .name = "allow-empty",
	  .kind = MUE_OPT_FLAG,
	  .at = AT(allow_empty),
	  .help = "take a stage whose tag no device carries: it is passed at once" },
	{ .name = "start", .kind = MUE_OPT_FLAG, .at = AT(start), .help = "start it at once" },
	{ .name = NULL },
};

static void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static int do_action(struct mue_api *api, int64_t id, const char *action, struct mue_error *e)
{
	char path[100];

	snprintf(path, sizeof(path), "/rest/v1/rollouts/%" PRId64 "/%s", id, action);
	return mue_api_call(api, "POST", path, NULL, NULL, e);
}

/* The server sorts the targets into groups after it has answered: start when that is done. */
static int start_when_ready(struct mue_api *api, int64_t id, struct mue_error *e)
{
	enum { TRIES = 150, PAUSE_MS = 200 };

	for (int i = 0; i < TRIES; i++) {
		json_t *j = NULL;
		bool creating;
		int r = mue_api_get(api, &j, e, "/rest/v1/rollouts/%" PRId64, id);

		if (r < 0)
			return r;
		creating = strcmp(mue_json_str(j, "status", ""), "creating") == 0;
		json_decref(j);
		if (!creating)
			return do_action(api, id, "start", e);
		pause_ms(PAUSE_MS);
	}
	return mue_fail(e, MUE_ETIMEOUT,
			"the server is still sorting targets into groups; start it "
			"later: mue rollout start %" PRId64,
			id);
}

/* A tag that nobody carries makes a stage of no devices, which opens the next one at once: a slip
 * of the pen would skip the bench. */
static int check_tag(struct mue_api *api, const char *filter, const char *tag, struct mue_error *e)
{
	char query[3000];
	uint64_t n = 0;
	int r;

	if (snprintf(query, sizeof(query), "(%s);tag==\"%s\"", filter, tag) >= (int)sizeof(query))
		return mue_fail(e, MUE_EINVAL, "--filter is too long");
	r = mue_api_count(api, "/rest/v1/targets", query, &n, e);
	if (r < 0 || n > 0)
		return r;
	api->cli->exit = MUE_EXIT_SERVER;
	return mue_fail(e, MUE_ENOTFOUND,
			"--stages: no device of this rollout carries the tag \"%s\"; put it on: "
			"mue target tag %s DEVICE..., or say --allow-empty",
			tag, tag);
}

static int check_tags(struct mue_api *api, const char *filter, const struct mue_stages *stages,
		      struct mue_error *e)
{
	int r = MUE_OK;

	for (size_t i = 0; i < stages->n && r == MUE_OK; i++)
		if (stages->v[i].kind == MUE_STAGE_TAG)
			r = check_tag(api, filter, stages->v[i].text, e);
	return r;
}

/* What is posted; NULL when a text of it is no UTF-8. */
static json_t *body_of(const struct create_opts *o, const char *name, const char *filter,
		       int64_t set, const struct mue_stages *stages)
{
	bool stop = o->on_error && strcmp(o->on_error, "stop") == 0;
	struct mue_gates gates = { (uint32_t)o->success, (uint32_t)o->error,
				   stop ? "STOP" : "PAUSE" };
	json_t *body = json_pack("{s:s, s:I, s:s, s:s, s:o}", "name", name, "distributionSetId",
				 (json_int_t)set, "targetFilterQuery", filter, "type",
				 o->type ? o->type : "forced", "groups",
				 mue_stages_groups(stages, &gates));

	if (body && o->description)
		json_object_set_new(body, "description", json_string(o->description));
	if (body)
		mue_gates_set(body, &gates);
	return body;
}

static int create(struct mue_api *api, const struct create_opts *o, const char *name,
		  const struct mue_stages *stages, struct mue_error *e)
{
	const char *filter = o->filter ? o->filter : "id==*";
	struct mue_rollout_view view;
	json_t *body, *made = NULL;
	int64_t set = 0, id;
	int r = mue_api_find_set(api, o->ds, &set, e);

	if (r == MUE_OK && !o->allow_empty)
		r = check_tags(api, filter, stages, e);
	if (r < 0)
		return r;
	body = body_of(o, name, filter, set, stages);
	if (!body)
		return mue_fail(e, MUE_EINVAL, "the name or the filter is no UTF-8 text");
	r = mue_api_call(api, "POST", "/rest/v1/rollouts", body, &made, e);
	json_decref(body);
	if (r < 0)
		return r;
	id = mue_json_int(made, "id", 0);
	json_decref(made);
	if (o->start)
		r = start_when_ready(api, id, e);
	if (r == MUE_OK)
		r = mue_rollout_fetch(api, id, &view, e);
	if (r == MUE_OK)
		mue_rollout_print(api->cli->out, &view);
	return r;
}

static int create_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		      struct mue_error *e)
{
	const struct create_opts *o = opts;
	struct mue_stages stages;
	struct mue_api api;
	int r = mue_stages_parse(o->stages, &stages, e);

	if (r == MUE_OK)
		r = mue_api_open(cli, &api, e);
	if (r < 0)
		return r;
	r = create(&api, o, args->v[0], &stages, e);
	mue_api_close(&api);
	return r;
}

const struct mue_cmd mue_cmd_rollout_create = {
	.name = "rollout create",
	.args = "NAME",
	.summary = "plan an update of many devices, stage by stage",
	.more = "Each stage opens when the one before has met --success, and more than --error "
		"failures\n"
		"in a stage halt the rollout.  Stages are a tag (all devices that carry it), a "
		"number of\n"
		"devices, or N% of the devices that are left; the last one is 100%.  A tag that "
		"no\n"
		"device carries is refused with exit code 4, unless --allow-empty is given.",
	.examples =
		"  $ mue rollout create app-2.1 --ds app-os:2.1.0 --stages bench,1,30%,100% "
		"--start\n"
		"  $ mue rollout create fix --ds app-os:2.1.1 --stages 100% --filter 'tag==berlin'",
	.opts = create_table,
	.opts_size = sizeof(struct create_opts),
	.shared = MUE_SHARE_SERVER,
	.min_args = 1,
	.max_args = 1,
	.run = create_run,
};

/* --- list --- */

static int list_run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		    struct mue_error *e)
{
	struct mue_api api;
	json_t *list = NULL;
	int r = mue_api_open(cli, &api, e);

	(void)opts;
	(void)args;
	if (r < 0)
		return r;
	r = mue_api_list(&api, "/rest/v1/rollouts", NULL, &list, e);
	mue_api_close(&api);
	if (r < 0)
		return r;
	if (cli->common.json) {
		json_dumpf(list, cli->out, JSON_INDENT(2));
		fputc('\n', cli->out);
	}
	for (size_t i = 0; !cli->common.json && i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		char name[65], ago[24];

		fprintf(cli->out, "%-5" PRId64 " %-24s %-10s %4" PRId64 " targets  %s\n",
			mue_json_int(j, "id", 0),
			mue_term_safe(mue_json_str(j, "name", "?"), name, sizeof(name)),
			mue_json_str(j, "status", "?"), mue_json_int(j, "totalTargets", 0),
			mue_term_ago(mue_json_int(j, "createdAt", 0), ago));
	}
	if (!cli->common.json && json_array_size(list) == 0)
		fputs("no rollout yet; see: mue rollout create --help\n", cli->out);
	json_decref(list);
	return MUE_OK;
}

const struct mue_cmd mue_cmd_rollout_list = {
	.name = "rollout list",
	.args = "",
	.summary = "list rollouts",
	.examples = "  $ mue rollout list",
	.shared = MUE_SHARE_SERVER | MUE_SHARE_JSON,
	.run = list_run,
};

/* --- show, start, pause, resume, stop --- */

/* `action` NULL: only show. */
static int act(struct mue_cli *cli, const char *name, const char *action, struct mue_error *e)
{
	struct mue_rollout_view view;
	struct mue_api api;
	json_t *j = NULL;
	int64_t id;
	int r = mue_api_open(cli, &api, e);

	if (r < 0)
		return r;
	r = mue_rollout_find(&api, name, &j, e);
	if (r == MUE_OK) {
		id = mue_json_int(j, "id", 0);
		json_decref(j);
		if (action && strcmp(action, "start") == 0)
			r = start_when_ready(&api, id, e);
		else if (action)
			r = do_action(&api, id, action, e);
		if (r == MUE_OK)
			r = mue_rollout_fetch(&api, id, &view, e);
		if (r == MUE_OK)
			mue_rollout_print(cli->out, &view);
	}
	mue_api_close(&api);
	return r;
}

#define ACTION(verb, word, text, note)                                             \
	static int verb##_run(struct mue_cli *cli, const void *opts,               \
			      const struct mue_strings *args, struct mue_error *e) \
	{                                                                          \
		(void)opts;                                                        \
		return act(cli, args->v[0], word, e);                              \
	}                                                                          \
	const struct mue_cmd mue_cmd_rollout_##verb = {                            \
		.name = "rollout " #verb,                                          \
		.args = "NAME|ID",                                                 \
		.summary = text,                                                   \
		.more = note,                                                      \
		.examples = "  $ mue rollout " #verb " app-2.1",                   \
		.shared = MUE_SHARE_SERVER,                                        \
		.min_args = 1,                                                     \
		.max_args = 1,                                                     \
		.run = verb##_run,                                                 \
	}

ACTION(show, NULL, "show a rollout and its stages", NULL);
ACTION(start, "start", "start a rollout that was created", NULL);
ACTION(pause, "pause", "open no further stage; devices under way go on", NULL);
ACTION(resume, "resume", "go on with a paused rollout", NULL);
ACTION(stop, "stop", "end a rollout for good; devices not yet under way are left alone", NULL);
