/*
 * server.h - what one running server consists of; passed down, there are no globals.
 */
#ifndef MUE_SERVER_SERVER_H
#define MUE_SERVER_SERVER_H

#include "host/err.h"
#include "server/http/router.h"

#include <stdint.h>

struct mue_store;
struct mue_blobs;
struct mue_presence;
struct mue_metrics;
struct mue_ca;
struct mue_auth;
struct mue_jobs;
struct mue_httpd;

enum { MUE_SERVER_NAMES = 16 };

struct mue_server_config {
	const char *data;                    /* the data folder */
	const char *listen;                  /* ADDR:PORT of HTTPS */
	const char *http;                    /* ADDR:PORT of plain HTTP behind a proxy, or NULL */
	const char *names[MUE_SERVER_NAMES]; /* DNS names and addresses for the TLS certificate */
	unsigned name_count;
	unsigned threads;  /* HTTP worker threads; 0: by the number of CPUs */
	unsigned poll_s;   /* mean polling interval of devices, seconds */
	const char *accel; /* prefix for X-Accel-Redirect, or NULL: send the file ourselves */
};

struct mue_server {
	struct mue_server_config config;
	struct mue_store *store;       /* server/store/store.h */
	struct mue_blobs *blobs;       /* server/blobs/blobs.h */
	struct mue_presence *presence; /* server/presence.h: what the poll path needs, in RAM */
	struct mue_metrics *metrics;   /* server/metrics.h */
	struct mue_ca *ca;             /* server/tls/ca.h */
	struct mue_auth *auth;         /* server/auth.h: tokens, certificates, revocations in RAM */
	struct mue_jobs *jobs;         /* server/jobs.h */
	struct mue_router *router;
	struct mue_httpd *httpd;
	int lock_fd;
};

/* Starts everything; *ret_first_token is the admin's token on the very first start, "" otherwise.
 */
int mue_server_start(const struct mue_server_config *config, struct mue_server **ret,
		     char ret_first_token[33], struct mue_error *e);
/* Takes no more requests, lets those in flight end (3 s), makes everything durable.  NULL is
 * allowed. */
void mue_server_stop(struct mue_server *server);

/* The tables of routes and jobs, one a file of server/api/; ended by a line of NULLs. */
extern const struct mue_route mue_routes_ddi[];
extern const struct mue_route mue_routes_system[]; /* /health /ready /metrics */
extern const struct mue_route mue_routes_mue[];    /* /api/v1 */
extern const struct mue_route mue_routes_mgmt[];   /* /rest/v1; server/api/mgmt_routes.c */

/* Work that is done on its own: run every period_ms, and at once after mue_jobs_kick.  All jobs
 * share one thread. */
struct mue_job {
	const char *name;
	unsigned period_ms;
	int (*run)(struct mue_server *server, struct mue_error *e);
};
extern const struct mue_job mue_jobs_mgmt[]; /* server/api/mgmt_routes.c: rollouts, auto-assign */

/* Runs every job soon: called after a report closed an action, or a rollout was started. Any
 * thread. */
void mue_jobs_kick(struct mue_server *server);

#endif
