/* commands.c - the one table of subcommands, in the order of the road of an update. */
#include "cli/cmd.h"

#include <stdlib.h>
#include <string.h>

const struct mue_cmd *const mue_commands[] = {
	&mue_cmd_key_new,
	&mue_cmd_key_list,
	&mue_cmd_key_public,
	&mue_cmd_pack,
	&mue_cmd_sign,
	&mue_cmd_verify,
	&mue_cmd_inspect,
	&mue_cmd_diff,
	&mue_cmd_patch,
	&mue_cmd_enroll,
	&mue_cmd_trust_list,
	&mue_cmd_trust_add,
	&mue_cmd_publish,
	&mue_cmd_target_list,
	&mue_cmd_target_show,
	&mue_cmd_target_tag,
	&mue_cmd_target_why,
	&mue_cmd_rollout_create,
	&mue_cmd_rollout_list,
	&mue_cmd_rollout_show,
	&mue_cmd_rollout_start,
	&mue_cmd_rollout_pause,
	&mue_cmd_rollout_resume,
	&mue_cmd_rollout_stop,
	&mue_cmd_rollout_watch,
	&mue_cmd_status,
	&mue_cmd_completion,
	&mue_cmd_help,
	NULL,
};

static const struct mue_opt server_opts[] = {
	{ .name = "server",
	  .kind = MUE_OPT_TEXT,
	  .at = offsetof(struct mue_common, server),
	  .value = "URL",
	  .help = "the server, e.g. https://updates.example:8443; else MUE_SERVER" },
	{ .name = "token",
	  .kind = MUE_OPT_TEXT,
	  .at = offsetof(struct mue_common, token),
	  .value = "TOKEN",
	  .help = "the operator's token; else MUE_TOKEN (others cannot see that one)" },
	{ .name = "ca",
	  .kind = MUE_OPT_FILE,
	  .at = offsetof(struct mue_common, ca),
	  .value = "FILE",
	  .help = "certificate of the authority that the server's is checked against; else "
		  "MUE_CA" },
	{ .name = NULL },
};

static const struct mue_opt passphrase_opts[] = {
	{ .name = "passphrase-file",
	  .kind = MUE_OPT_FILE,
	  .at = offsetof(struct mue_common, passphrase_file),
	  .value = "FILE",
	  .help = "its first line opens key files; else MUE_PASSPHRASE; else it is asked" },
	{ .name = NULL },
};

static const struct mue_opt json_opts[] = {
	{ .name = "json",
	  .kind = MUE_OPT_FLAG,
	  .at = offsetof(struct mue_common, json),
	  .help = "print JSON for programs instead of text for people" },
	{ .name = NULL },
};

size_t mue_cmd_tables(const struct mue_cmd *cmd, const struct mue_opt *ret[MUE_TABLES_MAX])
{
	static const struct {
		unsigned bit;
		const struct mue_opt *opts;
	} shared[] = {
		{ MUE_SHARE_JSON, json_opts },
		{ MUE_SHARE_PASSPHRASE, passphrase_opts },
		{ MUE_SHARE_SERVER, server_opts },
	};
	size_t n = 0;

	ret[n++] = cmd->opts;
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (cmd->shared & shared[i].bit)
			ret[n++] = shared[i].opts;
	return n;
}

const struct mue_cmd *mue_cmd_find(int argc, char **argv, int *ret_words)
{
	for (const struct mue_cmd *const *c = mue_commands; *c; c++) {
		const char *name = (*c)->name, *space = strchr(name, ' ');
		size_t len = space ? (size_t)(space - name) : strlen(name);

		if (argc < 1 || strlen(argv[0]) != len || memcmp(argv[0], name, len) != 0)
			continue;
		if (space && (argc < 2 || strcmp(argv[1], space + 1) != 0))
			continue;
		*ret_words = space ? 2 : 1;
		return *c;
	}
	return NULL;
}

int mue_exit_of(const struct mue_cli *cli, int r)
{
	static const struct {
		int code;
		enum mue_exit exit;
	} table[] = {
		{ MUE_EIO, MUE_EXIT_IO },           { MUE_ENOSPC, MUE_EXIT_IO },
		{ MUE_EBUSY, MUE_EXIT_IO },         { MUE_EPERM, MUE_EXIT_IO },
		{ MUE_ENOTFOUND, MUE_EXIT_IO },     { MUE_EEXIST, MUE_EXIT_IO },
		{ MUE_ETIMEOUT, MUE_EXIT_IO },      { MUE_ENOMEM, MUE_EXIT_IO },
		{ MUE_ELINK, MUE_EXIT_IO },         { MUE_EINVAL, MUE_EXIT_USAGE },
		{ MUE_EPROTOCOL, MUE_EXIT_SERVER }, { MUE_EKEY, MUE_EXIT_KEY },
		{ MUE_EAUTH, MUE_EXIT_KEY },        { MUE_EEXHAUSTED, MUE_EXIT_KEY },
	};

	if (r >= 0)
		return r;
	if (cli->exit)
		return (int)cli->exit;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == r)
			return table[i].exit;
	return MUE_EXIT_REFUSED;
}
