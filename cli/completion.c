/* completion.c - `mue completion bash`: the shell's completion, made from the command table. */
#include "cli/cmd.h"

#include <string.h>

/* Bash that completes a value of this kind; NULL: nothing to offer. */
static const char *offer_of(enum mue_opt_kind kind)
{
	switch (kind) {
	case MUE_OPT_FILE:
	case MUE_OPT_LIST:
		return "_mue_files";
	case MUE_OPT_DIR:
		return "_mue_dirs";
	case MUE_OPT_TEXT:
	case MUE_OPT_NUMBER:
		return ":";
	case MUE_OPT_CHOICE:
	case MUE_OPT_FLAG:
		break;
	}
	return NULL;
}

static void put_words(FILE *f, const char *choices)
{
	for (; *choices; choices++)
		fputc(*choices == '|' ? ' ' : *choices, f);
}

/* The case lines that complete the values of one table's options after "NAME --option". */
static void put_values(FILE *f, const char *name, const struct mue_opt *t)
{
	for (; t && t->name; t++) {
		const char *offer = offer_of(t->kind);

		if (t->kind == MUE_OPT_FLAG)
			continue;
		fprintf(f, "\t'%s --%s'", name, t->name);
		if (t->letter)
			fprintf(f, " | '%s -%c'", name, t->letter);
		if (offer) {
			fprintf(f, ") %s; return ;;\n", offer);
			continue;
		}
		fputs(") _mue_words '", f);
		put_words(f, t->choices);
		fputs("'; return ;;\n", f);
	}
}

/* The case line that offers a command's options, and what its arguments are. */
static void put_options(FILE *f, const struct mue_cmd *cmd)
{
	const struct mue_opt *tables[MUE_TABLES_MAX];
	size_t n = mue_cmd_tables(cmd, tables);

	fprintf(f, "\t'%s')\n\t\toptions='", cmd->name);
	for (size_t i = 0; i < n; i++)
		for (const struct mue_opt *o = tables[i]; o && o->name; o++)
			fprintf(f, "--%s ", o->name);
	fputs("--help'\n\t\targuments='", f);
	put_words(f, cmd->arg_words ? cmd->arg_words : "");
	fputs("'\n\t\t;;\n", f);
}

/* First words ("key pack sign ..."), or the second words of `group`, each once. */
static void put_names(FILE *f, const char *group)
{
	const char *last = "";
	size_t last_len = 0;

	for (const struct mue_cmd *const *c = mue_commands; *c; c++) {
		const char *name = (*c)->name;
		size_t len = strcspn(name, " ");

		if (group) {
			if (name[len] && strncmp(name, group, len) == 0 && !group[len])
				fprintf(f, "%s ", name + len + 1);
			continue;
		}
		if (len != last_len || memcmp(name, last, len) != 0)
			fprintf(f, "%.*s ", (int)len, name);
		last = name;
		last_len = len;
	}
}

static void put_groups(FILE *f)
{
	const char *last = "";

	for (const struct mue_cmd *const *c = mue_commands; *c; c++) {
		const char *space = strchr((*c)->name, ' ');
		char group[32];

		if (!space)
			continue;
		snprintf(group, sizeof(group), "%.*s", (int)(space - (*c)->name), (*c)->name);
		if (strncmp(last, group, strlen(group)) == 0)
			continue;
		last = (*c)->name;
		fprintf(f, "\t\t'%s') _mue_words '", group);
		put_names(f, group);
		fputs("'; return ;;\n", f);
	}
}

static void put_bash(FILE *f)
{
	fputs("# bash completion of mue; made by: mue completion bash\n"
	      "_mue_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
	      "_mue_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "
	      "\"$cur\"); }\n"
	      "_mue_dirs() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "
	      "\"$cur\"); }\n"
	      "\n"
	      "_mue()\n"
	      "{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "\tlocal name=${COMP_WORDS[1]} first=2 options='' arguments=''\n"
	      "\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "\t\t_mue_words '",
	      f);
	put_names(f, NULL);
	fputs("'\n\t\treturn\n\tfi\n\tif [ \"$COMP_CWORD\" -eq 2 ]; then\n\t\tcase $name in\n", f);
	put_groups(f);
	fputs("\t\tesac\n\tfi\n\tcase \"$name ${COMP_WORDS[2]}\" in\n", f);
	for (const struct mue_cmd *const *c = mue_commands; *c; c++)
		if (strchr((*c)->name, ' '))
			fprintf(f, "\t'%s') name='%s' first=3 ;;\n", (*c)->name, (*c)->name);
	fputs("\tesac\n\tcase \"$name $prev\" in\n", f);
	for (const struct mue_cmd *const *c = mue_commands; *c; c++) {
		const struct mue_opt *tables[MUE_TABLES_MAX];
		size_t n = mue_cmd_tables(*c, tables);

		for (size_t i = 0; i < n; i++)
			put_values(f, (*c)->name, tables[i]);
	}
	fputs("\tesac\n\tcase $name in\n", f);
	for (const struct mue_cmd *const *c = mue_commands; *c; c++)
		put_options(f, *c);
	fputs("\tesac\n"
	      "\t[ \"$COMP_CWORD\" -ge \"$first\" ] || return\n"
	      "\tcase $cur,$arguments in\n"
	      "\t-*) _mue_words \"$options\" ;;\n"
	      "\t*,@file) _mue_files ;;\n"
	      "\t*,@dir) _mue_dirs ;;\n"
	      "\t*) _mue_words \"$arguments\" ;;\n"
	      "\tesac\n"
	      "}\n"
	      "complete -F _mue mue\n",
	      f);
}

static int run(struct mue_cli *cli, const void *opts, const struct mue_strings *args,
	       struct mue_error *e)
{
	(void)opts;
	if (strcmp(args->v[0], "bash") != 0)
		return mue_fail(e, MUE_EINVAL, "knows bash, not \"%.40s\"", args->v[0]);
	put_bash(cli->out);
	return MUE_OK;
}

const struct mue_cmd mue_cmd_completion = {
	.name = "completion",
	.args = "bash",
	.summary = "print the completion of a shell",
	.examples = "  $ . <(mue completion bash)\n"
		    "  $ mue completion bash > /usr/share/bash-completion/completions/mue",
	.arg_words = "bash",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
