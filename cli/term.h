/*
 * term.h - a progress bar on a terminal, one plain line elsewhere; sizes, bars and tables as text.
 */
#ifndef MUE_CLI_TERM_H
#define MUE_CLI_TERM_H

#include "cli/cmd.h"

struct mue_progress {
	FILE *f;
	bool tty;
	char what[80];
	uint64_t total;
	int64_t drawn_ms; /* when it was drawn last, CLOCK_MONOTONIC */
};

/* Starts a bar for `total` (0: not known) units; nothing is printed elsewhere than on a terminal.
 */
void mue_progress_begin(struct mue_progress *p, const struct mue_cli *cli, uint64_t total,
			const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Draws at most ten times a second. */
void mue_progress_update(struct mue_progress *p, uint64_t done);

/* Replaces the bar by the finished line: on a terminal and elsewhere alike. */
void mue_progress_end(struct mue_progress *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Removes a half drawn bar, so that an error starts on a line of its own. */
void mue_progress_drop(struct mue_progress *p);

/* "1.2 MB"; `ret` holds 16 bytes.  Returns ret. */
char *mue_term_size(uint64_t bytes, char ret[16]);

/* "####------" of `width` cells, width <= 60, for part/whole; `ret` holds 64 bytes.  Returns ret.
 */
char *mue_term_bar(uint64_t part, uint64_t whole, int width, char ret[64]);

/* "12 s ago" for a time in milliseconds since 1970, "never" for 0 or below; `ret` holds 24 bytes.
 * Returns ret. */
char *mue_term_ago(int64_t then_ms, char ret[24]);

/* Text that came from outside, with control bytes shown as '?': a terminal obeys some. */
char *mue_term_safe(const char *s, char *ret, size_t ret_size);

#endif
