/* main.c - finds the command in the table, fills its options, runs it, prints the one error. */
#include "cli/cmd.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

static int fail(struct mue_cli *cli, const char *name, const struct mue_error *e, int exit_code)
{
	/* On a terminal a progress bar may stand half drawn. */
	fflush(cli->out);
	fprintf(cli->err, "mue%s%s: %s\n", name ? " " : "", name ? name : "", e->text);
	if (exit_code == MUE_EXIT_USAGE)
		fprintf(cli->err, "try: mue %s%s--help\n", name ? name : "", name ? " " : "");
	return exit_code;
}

static int check_args(const struct mue_cmd *cmd, const struct mue_strings *args,
		      struct mue_error *e)
{
	if (args->n < cmd->min_args)
		return mue_fail(e, MUE_EINVAL, "wants %s", cmd->args);
	if (args->n > cmd->max_args)
		return mue_fail(e, MUE_EINVAL, "does not know what to do with \"%.80s\"",
				args->v[cmd->max_args]);
	return MUE_OK;
}

static int run(struct mue_cli *cli, const struct mue_cmd *cmd, int argc, char **argv)
{
	const struct mue_opt *tables[MUE_TABLES_MAX];
	_Alignas(max_align_t) unsigned char opts[MUE_OPTS_MAX] = { 0 };
	struct mue_optset sets[MUE_TABLES_MAX];
	struct mue_strings args = { .n = 0 };
	struct mue_error e = { .code = 0 };
	size_t n_sets = mue_cmd_tables(cmd, tables);
	bool help = false;
	int r;

	assert(cmd->opts_size <= sizeof(opts));
	for (size_t i = 0; i < n_sets; i++)
		sets[i] = (struct mue_optset){ tables[i], i == 0 ? (void *)opts : &cli->common };
	r = mue_opt_parse(argc, argv, sets, n_sets, &args, &help, &e);
	if (r < 0)
		return fail(cli, cmd->name, &e, MUE_EXIT_USAGE);
	if (help) {
		mue_help_cmd(cli->out, cmd);
		return MUE_EXIT_OK;
	}
	r = check_args(cmd, &args, &e);
	if (r < 0)
		return fail(cli, cmd->name, &e, MUE_EXIT_USAGE);

	if (!cli->common.server)
		cli->common.server = env("MUE_SERVER");
	if (!cli->common.token)
		cli->common.token = env("MUE_TOKEN");
	if (!cli->common.ca)
		cli->common.ca = env("MUE_CA");
	r = cmd->run(cli, opts, &args, &e);
	return r < 0 ? fail(cli, cmd->name, &e, mue_exit_of(cli, r)) : r;
}

static int no_such(struct mue_cli *cli, int argc, char **argv)
{
	struct mue_error e;

	if (argc > 1) { /* "mue key" or "mue key --help", else "mue key nwe" */
		if (argc == 2 || strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0) {
			FILE *f = argc == 2 ? cli->err : cli->out;

			if (mue_help_group(f, argv[1]))
				return argc == 2 ? MUE_EXIT_USAGE : MUE_EXIT_OK;
		}
	}
	mue_fail(&e, MUE_EINVAL, "no command \"%s%s%s\"; see: mue help", argv[1],
		 argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
	fprintf(cli->err, "mue: %s\n", e.text);
	return MUE_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct mue_cli cli = { .out = stdout, .err = stderr, .tty = isatty(STDOUT_FILENO) == 1 };
	const struct mue_cmd *cmd;
	int words = 0, r;

	/* A reader that went away shows as a failed write, not as a silent death. */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		mue_help_all(cli.err);
		return MUE_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		mue_help_all(cli.out);
		return MUE_EXIT_OK;
	}
	cmd = mue_cmd_find(argc - 1, argv + 1, &words);
	r = cmd ? run(&cli, cmd, argc - 1 - words, argv + 1 + words) : no_such(&cli, argc, argv);
	if (fflush(stdout) != 0 && r == MUE_EXIT_OK)
		r = MUE_EXIT_IO;
	return r;
}
