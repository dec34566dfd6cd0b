/*
 * metrics.h - counters, and /metrics in Prometheus' text format (version 0.0.4).
 */
#ifndef MUE_SERVER_METRICS_H
#define MUE_SERVER_METRICS_H

#include "server/server.h"

#include <stdint.h>

struct mue_metrics *mue_metrics_new(void);
void mue_metrics_free(struct mue_metrics *m);

/* One request is over.  `pattern`: its route's, "" when none; `whole`: the answer was sent to its
 * end. */
void mue_metrics_request(struct mue_metrics *m, const char *pattern, unsigned status,
			 int64_t took_us, bool whole);

enum mue_count {
	MUE_COUNT_FEEDBACK,
	MUE_COUNT_FEEDBACK_REPEATED,
	MUE_COUNT_DOWNLOAD,
	MUE_COUNT_UPLOAD,
	MUE_COUNT_UPLOAD_REFUSED,
	MUE_COUNTS
};
void mue_metrics_count(struct mue_metrics *m, enum mue_count what);

/* The whole page; lives in r's arena.  NULL: out of memory. */
const char *mue_metrics_text(struct mue_request *r);

#endif
