/*
 * opt.h - one table of options per command is its parser, its help and its completion.
 *
 * Long options (--name VALUE, --name=VALUE), one-letter aliases (-n VALUE), options and arguments
 * in any order, "--" ends the options.  Nothing is allocated: values point into argv.
 */
#ifndef MUE_CLI_OPT_H
#define MUE_CLI_OPT_H

#include "host/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum mue_opt_kind {
	MUE_OPT_FLAG,   /* bool */
	MUE_OPT_TEXT,   /* const char * */
	MUE_OPT_FILE,   /* const char *; completion offers files */
	MUE_OPT_DIR,    /* const char *; completion offers folders */
	MUE_OPT_NUMBER, /* uint64_t from min to max; decimal, or hexadecimal after 0x */
	MUE_OPT_CHOICE, /* const char *; one word of `choices` */
	MUE_OPT_LIST,   /* struct mue_strings; may be given up to MUE_STRINGS_MAX times */
};

enum { MUE_STRINGS_MAX = 32 };

struct mue_strings {
	const char *v[MUE_STRINGS_MAX];
	size_t n;
};

/* A table of these ends with an entry whose name is NULL. */
struct mue_opt {
	const char *name; /* without the dashes */
	char letter;      /* one-letter alias, 0: none */
	enum mue_opt_kind kind;
	size_t at;           /* offset of the value in the command's struct */
	const char *value;   /* what help calls the value: "FILE" */
	const char *help;    /* one sentence, no full stop */
	const char *choices; /* MUE_OPT_CHOICE: "p0|p1|p2" */
	uint64_t min, max;   /* MUE_OPT_NUMBER */
	uint64_t unset;      /* MUE_OPT_NUMBER: the value when it is not given */
	bool required;
};

/* One table and the struct its offsets are meant for. */
struct mue_optset {
	const struct mue_opt *opts;
	void *into;
};

/*
 * Reads argv[0..argc) into the structs of `sets` (n_sets of them) and the positional arguments
 * into *ret_args.  The structs, zeroed by the caller, are written as options are met: a caller that
 * fails must not use them.  *ret_help is set, and nothing else checked, when --help or -h is met.
 * MUE_EINVAL with a sentence that names the option and says what it wants.
 */
int mue_opt_parse(int argc, char **argv, const struct mue_optset *sets, size_t n_sets,
		  struct mue_strings *ret_args, bool *ret_help, struct mue_error *e);

/* Prints each option of the table with its help, which starts at the same column in all tables. */
void mue_opt_print(FILE *f, const struct mue_opt *opts);

/* Whether `word` is one of the words of "a|b|c". */
bool mue_opt_is_choice(const char *choices, const char *word);

/* A whole string as a number (decimal or 0x...): 0, or MUE_EINVAL when it is none, is below min or
 * above max. */
int mue_opt_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret);

#endif
