/*
 * report.h - the durable queue of what the server is to be told.
 *
 * A report is a file in the spool, named by a rising number: it is on the medium before add
 * returns and is removed only when the server has acknowledged it (or says that the action is
 * gone).  Reports are sent in order; a repeat after a crash is harmless, the server takes it as
 * the same.
 */
#ifndef MUE_AGENT_REPORT_H
#define MUE_AGENT_REPORT_H

#include "agent/ddi.h"
#include "host/http.h"

struct mue_reports {
	char folder[300];
	char base[MUE_DDI_URL]; /* SERVER/TENANT/controller/v1/ID */
	uint64_t next;          /* number of the next report */
};

/* Opens (and makes) the queue in `spool`/reports. */
int mue_reports_open(struct mue_reports *q, const char *spool, const char *base,
		     struct mue_error *e);

/* Durable when it returns 0.  `text` may hold any bytes. */
int mue_reports_add(struct mue_reports *q, enum mue_report_kind kind, const char *action, int code,
		    const char *text, struct mue_error *e);

/* Sends what is there, oldest first, and stops at the first that cannot be delivered now: its
 * verdict, *ret_retry_after_s as the server asks.  0: the queue is empty. */
int mue_reports_flush(struct mue_reports *q, struct mue_http *h, uint32_t *ret_retry_after_s,
		      struct mue_error *e);

/* True when a closing report (success or failure) of this action waits to be sent. */
bool mue_reports_closing(const struct mue_reports *q, const char *action);

#endif
