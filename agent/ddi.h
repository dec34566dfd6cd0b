/*
 * ddi.h - the JSON of hawkBit's Direct Device Integration API v1, as a device reads and writes it.
 *
 * Reading is tolerant where servers in the field differ (action ids as numbers or strings, missing
 * optional members, unknown members, `sleep` longer than a day) and strict where it matters (types,
 * lengths, duplicate members, URLs).  Nothing here talks to a network.
 */
#ifndef MUE_AGENT_DDI_H
#define MUE_AGENT_DDI_H

#include "agent/ipc.h"
#include "host/buf.h"
#include "host/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUE_DDI_URL   768
#define MUE_DDI_FILES 64

/* Answer of GET /{tenant}/controller/v1/{id}.  Empty strings: no such link. */
struct mue_ddi_base {
	uint32_t sleep_s; /* 0: the server named none */
	char deployment[MUE_DDI_URL], cancel[MUE_DDI_URL], confirmation[MUE_DDI_URL],
		config[MUE_DDI_URL];
};

enum mue_ddi_handling { MUE_DDI_SKIP, MUE_DDI_ATTEMPT, MUE_DDI_FORCED };

struct mue_ddi_file {
	char name[MUE_IPC_NAME];
	char url[MUE_DDI_URL];
	uint64_t size;   /* UINT64_MAX: not said */
	char sha256[65]; /* "": not said */
};

/* Answer of deploymentBase/{id} and confirmationBase/{id}. */
struct mue_ddi_deployment {
	char id[MUE_IPC_ACTION];
	enum mue_ddi_handling download, update;
	bool closed_window; /* maintenanceWindow: unavailable */
	size_t count;
	struct mue_ddi_file files[MUE_DDI_FILES];
};

/* Answer of cancelAction/{id}. */
struct mue_ddi_cancel {
	char id[MUE_IPC_ACTION], stop[MUE_IPC_ACTION];
};

/*
 * `origin` is "https://host:port": an href that begins with a slash is taken relative to it, one
 * with another scheme than http/https is refused.  MUE_EPROTOCOL with a sentence; *ret is
 * untouched then.
 */
int mue_ddi_parse_base(const char *json, size_t len, const char *origin, struct mue_ddi_base *ret,
		       struct mue_error *e);
int mue_ddi_parse_deployment(const char *json, size_t len, const char *origin,
			     struct mue_ddi_deployment *ret, struct mue_error *e);
int mue_ddi_parse_cancel(const char *json, size_t len, struct mue_ddi_cancel *ret,
			 struct mue_error *e);

/* "HH:MM:SS", more digits of hours allowed, to seconds.  MUE_EFORMAT. */
int mue_ddi_parse_sleep(const char *text, uint32_t *ret_s);

/*
 * The one envelope among the files: suffix ".suit"; several of one name and digest count as one.
 * MUE_ENOTFOUND: none.  MUE_ECONFLICT: two different ones.
 */
int mue_ddi_find_envelope(const struct mue_ddi_deployment *d, const struct mue_ddi_file **ret,
			  struct mue_error *e);

/* The file of that name; several of one name must have one digest.  MUE_ENOTFOUND, MUE_ECONFLICT.
 */
int mue_ddi_find_file(const struct mue_ddi_deployment *d, const char *name,
		      const struct mue_ddi_file **ret, struct mue_error *e);

/* True when url's scheme, host and port are `origin`. */
bool mue_ddi_same_origin(const char *url, const char *origin);

/* One report as the body of a feedback request, appended. */
struct mue_ddi_report {
	const char *action;
	enum mue_report_kind kind;
	int code; /* enum mue_err, 0: none */
	const char *text;
	uint64_t time_ms;
};
int mue_ddi_feedback(const struct mue_ddi_report *r, struct mue_buf *ret);

/* Body of configData from `count` pairs {name, value}, of confirmationBase's feedback. */
int mue_ddi_config_data(const char *const (*pairs)[2], size_t count, struct mue_buf *ret);
int mue_ddi_confirmation(bool confirmed, const char *text, struct mue_buf *ret);

#endif
