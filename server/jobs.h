/*
 * jobs.h - the thread that does what no request asks for: rollouts, auto-assignment, writing down
 * when targets were last seen.
 */
#ifndef MUE_SERVER_JOBS_H
#define MUE_SERVER_JOBS_H

#include "server/server.h"

/* Starts the thread over the tables (each ended by a line with name NULL). */
int mue_jobs_start(struct mue_server *server, const struct mue_job *const *tables, unsigned count,
		   struct mue_error *e);
/* Lets the running job end; no job runs afterwards. */
void mue_jobs_stop(struct mue_server *server);

extern const struct mue_job mue_jobs_server[];

#endif
