/*
 * man.h - the manual page, and the two short tables that it shares with `mue help`.
 */
#ifndef MUE_CLI_MAN_H
#define MUE_CLI_MAN_H

#include "cli/cmd.h"

struct mue_note {
	const char *key, *text; /* ended by key NULL */
};

extern const struct mue_note mue_exit_notes[], mue_env_notes[];

/* Prints the page in the man(7) language. */
void mue_man_print(FILE *f);

#endif
