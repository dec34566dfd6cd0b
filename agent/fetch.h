/*
 * fetch.h - the process that talks to the server: polls, downloads, reports.  It installs nothing
 * and decides nothing: what it brings is judged by the install process (install.h) behind the
 * socketpair.
 */
#ifndef MUE_AGENT_FETCH_H
#define MUE_AGENT_FETCH_H

#include "agent/config.h"
#include "agent/report.h"
#include "links/backoff.h"
#include "links/https.h"

#define MUE_FETCH_ATTRIBUTES 16

struct mue_fetch {
	const struct mue_config *c;
	int sock;
	bool once;
	char base[MUE_DDI_URL];   /* SERVER/TENANT/controller/v1/ID */
	struct mue_http *api;     /* with our identity: only for the server's own origin */
	struct mue_http *side;    /* the same, for polls while api downloads */
	struct mue_http *foreign; /* without it: for artifacts elsewhere */
	struct mue_reports reports;
	uint32_t sleep_s;           /* of the last answer */
	uint32_t retry_after_s;     /* the server sent us away: at least so long */
	struct mue_backoff trouble; /* of polls */
	char attribute[MUE_FETCH_ATTRIBUTES][2][MUE_IPC_NAME];
	size_t attributes;
	bool attributes_sent;
	struct mue_ddi_deployment deployment; /* the one being worked on */
	char deployment_url[MUE_DDI_URL];
	char done[MUE_IPC_ACTION]; /* last action whose success was stored for the server */
	char held[MUE_IPC_ACTION]; /* its image is in the slot, the update must wait */
	char told[MUE_IPC_ACTION]; /* last "waiting" that was reported: action, verdict */
	int told_verdict;
	char broken[MUE_IPC_ACTION]; /* the action whose download the line broke, how often */
	uint32_t broken_count;
	char cancel[MUE_IPC_ACTION]; /* a cancel that stopped the download: its id */
	int64_t next_look_ms;        /* when a download looks for a cancel again */
	uint8_t *packet;             /* MUE_IPC_DATA bytes under way to install */
	size_t packet_len;
	bool stop; /* the device goes down, or the other process is gone */
};

/* Life of the fetch process; returns its exit status.  The caller has confined it already. */
int mue_fetch_main(const struct mue_config *c, int sock, bool once);

/* One GET of the DDI resource that `link` names into memory, from our own server whatever host the
 * link has: status is checked, Retry-After kept.  The caller frees *ret by mue_http_answer_free in
 * every case. */
int mue_fetch_get(struct mue_fetch *f, struct mue_http *h, const char *link,
		  struct mue_http_answer *ret, struct mue_error *e);

/* Polls once. */
int mue_fetch_poll(struct mue_fetch *f, struct mue_http *h, struct mue_ddi_base *ret,
		   struct mue_error *e);

/* fetch_action.c: works on what deploymentBase, cancelAction, confirmationBase say. */
int mue_fetch_deployment(struct mue_fetch *f, const char *url, struct mue_error *e);
int mue_fetch_cancel(struct mue_fetch *f, const char *url, struct mue_error *e);
int mue_fetch_confirmation(struct mue_fetch *f, const char *url, struct mue_error *e);

/* Stores a report that install asked for and says so. */
int mue_fetch_store(struct mue_fetch *f, const struct mue_ipc_msg *m, struct mue_error *e);

int64_t mue_fetch_now_ms(void);

#endif
