/* help.c - `mue help`, `mue --help`, `mue COMMAND --help`: all from the table. */
#include "cli/man.h"

#include <string.h>

const struct mue_note mue_exit_notes[] = {
	{ "0", "done" },
	{ "1", "refused, with the verdict: signature, digest, format, older version and the like" },
	{ "2", "the command line is wrong" },
	{ "3", "a file or the network failed" },
	{ "4", "the server said no" },
	{ "5", "passphrase or PIN wrong, key unusable or used up" },
	{ "6", "what was waited for did not come true: the rollout stopped" },
	{ NULL, NULL },
};

const struct mue_note mue_env_notes[] = {
	{ "MUE_SERVER", "URL of the server, as --server" },
	{ "MUE_TOKEN", "the operator's token, as --token" },
	{ "MUE_CA", "certificate that the server's is checked against, as --ca" },
	{ "MUE_PASSPHRASE", "opens key files" },
	{ "MUE_PIN", "opens PKCS#11 tokens" },
	{ NULL, NULL },
};

struct help_opts {
	bool man;
};

static const struct mue_opt help_table[] = {
	{ .name = "man",
	  .kind = MUE_OPT_FLAG,
	  .at = offsetof(struct help_opts, man),
	  .help = "print the manual page mue(1)" },
	{ .name = NULL },
};

void mue_help_cmd(FILE *f, const struct mue_cmd *cmd)
{
	const struct mue_opt *tables[MUE_TABLES_MAX];
	size_t n = mue_cmd_tables(cmd, tables);
	bool options = cmd->opts || n > 1;

	fprintf(f, "mue %s - %s\n\nUsage: mue %s%s%s%s\n", cmd->name, cmd->summary, cmd->name,
		options ? " [OPTION...]" : "", *cmd->args ? " " : "", cmd->args);
	if (cmd->more)
		fprintf(f, "\n%s\n", cmd->more);
	if (options)
		fputs("\nOptions:\n", f);
	for (size_t i = 0; i < n; i++)
		mue_opt_print(f, tables[i]);
	fprintf(f, "\nExamples:\n%s\n", cmd->examples);
}

bool mue_help_group(FILE *f, const char *group)
{
	size_t len = strlen(group);
	bool any = false;

	for (const struct mue_cmd *const *c = mue_commands; *c; c++) {
		if (strncmp((*c)->name, group, len) != 0 || (*c)->name[len] != ' ')
			continue;
		if (!any)
			fprintf(f, "Usage: mue %s COMMAND [OPTION...] [ARGUMENT...]\n\n", group);
		any = true;
		fprintf(f, "  mue %-16s %s\n", (*c)->name, (*c)->summary);
	}
	if (any)
		fprintf(f, "\nMore: mue %s COMMAND --help\n", group);
	return any;
}

void mue_help_all(FILE *f)
{
	fputs("mue - takes an update from a signed image to a confirmed device\n\n"
	      "Usage: mue COMMAND [OPTION...] [ARGUMENT...]\n\n",
	      f);
	for (const struct mue_cmd *const *c = mue_commands; *c; c++)
		fprintf(f, "  %-16s %s\n", (*c)->name, (*c)->summary);
	fputs("\nEach of them: mue COMMAND --help\n\nEnvironment:\n", f);
	for (const struct mue_note *n = mue_env_notes; n->key; n++)
		fprintf(f, "  %-16s %s\n", n->key, n->text);
	fputs("\nExit codes:\n", f);
	for (const struct mue_note *n = mue_exit_notes; n->key; n++)
		fprintf(f, "  %-3s %s\n", n->key, n->text);
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	char *words[2] = { NULL, NULL };
	const struct help_opts *o = opts;
	const struct mue_cmd *cmd;
	int n = 0;

	if (o->man) {
		mue_man_print(cli->out);
		return MUE_OK;
	}
	if (args->n == 0) {
		mue_help_all(cli->out);
		return MUE_OK;
	}
	for (size_t i = 0; i < args->n && i < 2; i++)
		words[i] = (char *)(uintptr_t)args->v[i];
	cmd = mue_cmd_find((int)args->n, words, &n);
	if (cmd) {
		mue_help_cmd(cli->out, cmd);
		return MUE_OK;
	}
	if (args->n == 1 && mue_help_group(cli->out, args->v[0]))
		return MUE_OK;
	return mue_fail(e, MUE_EINVAL, "no command \"%s%s%s\"; see: mue help", args->v[0],
			args->n > 1 ? " " : "", args->n > 1 ? args->v[1] : "");
}

const struct mue_cmd mue_cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "what there is, and how each command is used",
	.examples = "  $ mue help\n  $ mue help rollout create",
	.arg_words = "",
	.opts = help_table,
	.opts_size = sizeof(struct help_opts),
	.max_args = 2,
	.run = run,
};
