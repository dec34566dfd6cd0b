/*
 * cmd.h - what a subcommand is, and what it gets.
 *
 * commands.c holds the one table of all subcommands; dispatch, help and completion read it.  To add
 * one: a file with a `const struct mue_cmd`, one line here, one line in that table.
 */
#ifndef MUE_CLI_CMD_H
#define MUE_CLI_CMD_H

#include "cli/opt.h"

/* Exit codes, documented in `mue help` and mue(1).  Never renumber. */
enum mue_exit {
	MUE_EXIT_OK = 0,
	MUE_EXIT_REFUSED = 1, /* a verdict: signature, digest, format, older version ... */
	MUE_EXIT_USAGE = 2,   /* the command line is wrong */
	MUE_EXIT_IO = 3,      /* a file or the network failed */
	MUE_EXIT_SERVER = 4,  /* the server said no */
	MUE_EXIT_KEY = 5,     /* passphrase wrong, key unusable or used up */
	MUE_EXIT_STOPPED = 6, /* what was waited for did not come true: the rollout stopped */
};

/* Options that several commands share; `mue_cmd.shared` says which. */
struct mue_common {
	const char *server, *token,
		*ca; /* --server --token --ca, or MUE_SERVER, MUE_TOKEN, MUE_CA */
	const char *passphrase_file;
	bool json;
};

enum mue_shared {
	MUE_SHARE_SERVER = 1 << 0,
	MUE_SHARE_PASSPHRASE = 1 << 1,
	MUE_SHARE_JSON = 1 << 2,
};

/* One run of the program. */
struct mue_cli {
	FILE *out, *err;
	bool tty; /* out is a terminal */
	struct mue_common common;
	enum mue_exit exit; /* when not 0: the exit code of a verdict, whatever it is (api.c) */
};

struct mue_cmd {
	const char *name;      /* one or two words: "key new" */
	const char *args;      /* what usage calls the arguments: "FILE..." or "" */
	const char *summary;   /* one line */
	const char *more;      /* paragraphs, or NULL */
	const char *examples;  /* lines, each "  $ mue ..." */
	const char *arg_words; /* completion of arguments: "@file", "@dir", "a|b", "" */
	const struct mue_opt *opts;
	size_t opts_size; /* sizeof the struct that opts' offsets mean; at most MUE_OPTS_MAX */
	unsigned shared;  /* enum mue_shared */
	size_t min_args, max_args;
	/*
	 * Does the work.  `opts` points to the filled struct.  Returns MUE_OK, a verdict of
	 * core/err.h with its sentence in *e, or an enum mue_exit above 0 when everything there
	 * is to say has been printed already.
	 */
	int (*run)(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
		   struct mue_error *e);
};

enum { MUE_OPTS_MAX = 2048 };

/* The table, ended by NULL. */
extern const struct mue_cmd *const mue_commands[];

extern const struct mue_cmd mue_cmd_key_new, mue_cmd_key_list, mue_cmd_key_public;
extern const struct mue_cmd mue_cmd_pack, mue_cmd_sign, mue_cmd_verify, mue_cmd_inspect;
extern const struct mue_cmd mue_cmd_diff, mue_cmd_patch;
extern const struct mue_cmd mue_cmd_enroll, mue_cmd_publish;
extern const struct mue_cmd mue_cmd_target_list, mue_cmd_target_show, mue_cmd_target_tag,
	mue_cmd_target_why;
extern const struct mue_cmd mue_cmd_rollout_create, mue_cmd_rollout_list, mue_cmd_rollout_show,
	mue_cmd_rollout_start, mue_cmd_rollout_pause, mue_cmd_rollout_resume, mue_cmd_rollout_stop,
	mue_cmd_rollout_watch;
extern const struct mue_cmd mue_cmd_status, mue_cmd_trust_list, mue_cmd_trust_add;
extern const struct mue_cmd mue_cmd_completion, mue_cmd_help;

enum { MUE_TABLES_MAX = 4 };

/* All option tables of a command: its own first (may be NULL), then the shared ones, whose offsets
 * mean struct mue_common.  Returns how many. */
size_t mue_cmd_tables(const struct mue_cmd *cmd, const struct mue_opt *ret[MUE_TABLES_MAX]);

/* The command that argv starts with, and how many words its name took; NULL: none. */
const struct mue_cmd *mue_cmd_find(int argc, char **argv, int *ret_words);

/* Everything about one command, about a group ("key"), about the program. */
void mue_help_cmd(FILE *f, const struct mue_cmd *cmd);
bool mue_help_group(FILE *f, const char *group);
void mue_help_all(FILE *f);

/* The exit code for what a command returned. */
int mue_exit_of(const struct mue_cli *cli, int r);

#endif
