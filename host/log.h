/*
 * log.h - one line an event on stderr: `level event key=value ...`.
 *
 * A line is written by a single write(2), at most MUE_LOG_LINE bytes (longer ones end in `...`).
 * Values that hold a space, a quote, a backslash, '=' or a control character are quoted and
 * escaped ("a\"b", \n, \x1b), so that a line is always one line and can be split again.
 * Secrets never go into a log.  The variable MUE_LOG (debug, info, warn, error; default info) sets
 * what is shown.
 */
#ifndef MUE_HOST_LOG_H
#define MUE_HOST_LOG_H

#include "host/buf.h"

#include <stdint.h>

#define MUE_LOG_LINE 1024

enum mue_log_level { MUE_LOG_DEBUG, MUE_LOG_INFO, MUE_LOG_WARN, MUE_LOG_ERROR };

/*
 * mue_log(MUE_LOG_INFO, "fetch.done", "id", id, "bytes", MUE_LOG_NUM(n), NULL);
 * After the event's name come pairs of const char * (a NULL value prints as "-"), then NULL.
 */
void mue_log(enum mue_log_level level, const char *event, ...) __attribute__((sentinel));

/* A number as text that lives as long as the enclosing block. */
#define MUE_LOG_NUM(n) mue_log_num(&(struct mue_log_num){ { 0 } }, (int64_t)(n))

struct mue_log_num {
	char text[24];
};
const char *mue_log_num(struct mue_log_num *buf, int64_t n);

/* One value as the log writes it (quoted when needed) into `b`; 0 or as mue_buf_add. */
int mue_log_value(struct mue_buf *b, const char *value);

#endif
