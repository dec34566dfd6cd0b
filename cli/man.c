/* man.c - the manual page mue(1), made from the command table, so that it cannot be out of date. */
#include "cli/man.h"

#include <ctype.h>
#include <string.h>

/* Text with roff's two special starts and the backslash escaped; `dash`: hyphens stay ASCII. */
static void put_text(FILE *f, const char *s)
{
	bool line_start = true;

	for (; *s; s++) {
		if (line_start && (*s == '.' || *s == '\''))
			fputs("\\&", f);
		line_start = *s == '\n';
		if (*s == '\\')
			fputs("\\e", f);
		else if (*s == '-')
			fputs("\\-", f);
		else
			fputc(*s, f);
	}
}

static void put_opt(FILE *f, const struct mue_opt *o)
{
	fputs(".TP\n", f);
	if (o->letter)
		fprintf(f, "\\fB\\-%c\\fR, ", o->letter);
	fputs("\\fB\\-\\-", f);
	put_text(f, o->name);
	fputs("\\fR", f);
	if (o->value) {
		fputs(" \\fI", f);
		put_text(f, o->value);
		fputs("\\fR", f);
	}
	fputc('\n', f);
	put_text(f, o->help);
	fputs(o->required ? " (needed).\n" : ".\n", f);
}

static void put_examples(FILE *f, const char *lines)
{
	fputs(".PP\n.nf\n", f);
	put_text(f, lines);
	fputs("\n.fi\n", f);
}

/* Paragraphs are parted by an empty line. */
static void put_paragraphs(FILE *f, const char *s)
{
	const char *end;

	for (; s; s = end ? end + 2 : NULL) {
		char part[2048];

		end = strstr(s, "\n\n");
		snprintf(part, sizeof(part), "%.*s", end ? (int)(end - s) : (int)strlen(s), s);
		fputs(".PP\n", f);
		put_text(f, part);
		fputc('\n', f);
	}
}

static void put_cmd(FILE *f, const struct mue_cmd *cmd)
{
	const struct mue_opt *tables[MUE_TABLES_MAX];
	size_t n = mue_cmd_tables(cmd, tables);

	fputs(".SS ", f);
	put_text(f, cmd->name);
	fputc(' ', f);
	put_text(f, cmd->args);
	fputs(*cmd->args ? "\n" : "\n", f);
	fputc(toupper((unsigned char)cmd->summary[0]), f);
	put_text(f, cmd->summary + 1);
	fputs(".\n", f);
	if (cmd->more)
		put_paragraphs(f, cmd->more);
	for (size_t i = 0; i < n; i++)
		for (const struct mue_opt *o = tables[i]; o && o->name; o++)
			put_opt(f, o);
	put_examples(f, cmd->examples);
}

void mue_man_print(FILE *f)
{
	fputs(".\\\" Made by: mue help --man\n"
	      ".TH MUE 1 2026-11-22 mue \"User Commands\"\n"
	      ".SH NAME\n"
	      "mue \\- take an update from a signed image to a confirmed device\n"
	      ".SH SYNOPSIS\n"
	      ".B mue\n"
	      ".I command\n"
	      ".RI [ option ...]\n"
	      ".RI [ argument ...]\n"
	      ".SH COMMANDS\n",
	      f);
	for (const struct mue_cmd *const *c = mue_commands; *c; c++)
		put_cmd(f, *c);
	fputs(".SH ENVIRONMENT\n", f);
	for (const struct mue_note *n = mue_env_notes; n->key; n++)
		fprintf(f, ".TP\n.B %s\n%s.\n", n->key, n->text);
	fputs(".SH EXIT STATUS\n", f);
	for (const struct mue_note *n = mue_exit_notes; n->key; n++)
		fprintf(f, ".TP\n.B %s\n%s.\n", n->key, n->text);
}
