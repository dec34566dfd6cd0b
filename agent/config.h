/*
 * config.h - the agent's configuration: a file of lines `key = value`.
 *
 * One table (config.c) is parser, defaults, limits and help at once.  Empty lines and lines that
 * begin with `#` are skipped; a value runs to the end of the line, without the blanks around it.
 * An unknown key, a key given twice, or a value out of range is an error that names the line, the
 * key and the remedy.
 */
#ifndef MUE_AGENT_CONFIG_H
#define MUE_AGENT_CONFIG_H

#include "host/err.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MUE_CONFIG_TEXT 256   /* bytes of a value with its closing 0 */
#define MUE_CONFIG_FILE 65536 /* largest file */

struct mue_config {
	char server[MUE_CONFIG_TEXT]; /* https://HOST[:PORT], without a trailing slash */
	char tenant[MUE_CONFIG_TEXT];
	char id[MUE_CONFIG_TEXT]; /* controller id */
	char cert[MUE_CONFIG_TEXT];
	char key[MUE_CONFIG_TEXT];
	char token[MUE_CONFIG_TEXT];   /* target token */
	char gateway[MUE_CONFIG_TEXT]; /* gateway token */
	char ca[MUE_CONFIG_TEXT];
	char trust[MUE_CONFIG_TEXT];
	char state[MUE_CONFIG_TEXT];
	char spool[MUE_CONFIG_TEXT];     /* of fetch; "": <state>/spool */
	char envelopes[MUE_CONFIG_TEXT]; /* a.suit, b.suit; "": <state>/envelopes */
	char vendor[MUE_CONFIG_TEXT];
	char class_[MUE_CONFIG_TEXT];
	char slot[2][MUE_CONFIG_TEXT];
	uint64_t slot_size; /* bytes; 0: the device's size, or no limit for an image file */
	char bootctl[MUE_CONFIG_TEXT];
	uint64_t tries; /* boots given to a trial */
	char health[MUE_CONFIG_TEXT];
	uint64_t health_timeout_s;
	char battery[MUE_CONFIG_TEXT];
	uint64_t battery_min; /* percent */
	char link[MUE_CONFIG_TEXT];
	char link_allowed[MUE_CONFIG_TEXT];
	uint64_t disk_min; /* bytes that must stay free where the state is */
	char reboot[MUE_CONFIG_TEXT];
	char user[MUE_CONFIG_TEXT];
	char keystore[MUE_CONFIG_TEXT]; /* folder that a software token must write */
	char confirm[MUE_CONFIG_TEXT];  /* "yes", "no" or a file: who agrees to an update */
	uint64_t poll_s;                /* when the server names no interval */
	uint64_t retries;               /* attempts of a download without a new byte */
	uint64_t retry_s;               /* first pause between them */
	uint64_t attempts_max;          /* attempts of a download at all */
};

/* Fills *ret from a text of `len` bytes (`name` for messages), with defaults, and checks what
 * belongs together.  MUE_EFORMAT, MUE_EINVAL, MUE_ENODATA (a required key is missing). */
int mue_config_parse(const char *name, const char *text, size_t len, struct mue_config *ret,
		     struct mue_error *e);

/* As mue_config_parse of the file; MUE_ENOTFOUND, MUE_EPERM, MUE_ESIZE. */
int mue_config_load(const char *path, struct mue_config *ret, struct mue_error *e);

/* One line a key, as `mue-agent --help` shows it. */
void mue_config_help(FILE *f);

#endif
