/*
 * pack.h - what --component says, and how its file gets into the release's folder.
 */
#ifndef MUE_CLI_PACK_H
#define MUE_CLI_PACK_H

#include "cli/cmd.h"

#include <stdint.h>

/* "KIND:NAME=FILE[,version=V][,slot=N]" taken apart. */
struct mue_component_arg {
	char kind[16], name[64], version[64], file[4096];
	int slot; /* -1: unsaid */
};

/* MUE_EINVAL with a sentence that quotes `text` and says what is wrong with it. */
int mue_component_parse(const char *text, struct mue_component_arg *ret, struct mue_error *e);

/* A name that may stand in a file name: letters, digits and . _ + -, not first a dot; 1..63. */
bool mue_name_ok(const char *name);

/*
 * Puts `from` at `to` (same content there already is fine), hashing exactly the bytes that are
 * written; readers see nothing or all of it.  `hard_link`: a link instead of a copy.
 */
int mue_payload_place(const char *from, const char *to, bool hard_link, uint8_t ret_digest[32],
		      uint64_t *ret_size, struct mue_error *e);

#endif
