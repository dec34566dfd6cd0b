/*
 * api.h - the server as the commands see it: hawkBit's Management API v1 and Mue's own /api/v1.
 *
 * One struct mue_api is one connection.  A status that is no success becomes a verdict whose
 * sentence quotes the server, and the exit code becomes 4; no answer at all gives exit code 3.
 */
#ifndef MUE_CLI_API_H
#define MUE_CLI_API_H

#include "cli/cmd.h"
#include "host/http.h"

#include <jansson.h>

struct mue_api {
	struct mue_cli *cli;
	struct mue_http *http;
	char base[512]; /* without a closing slash */
};

/* Takes server, token and CA of cli->common.  Nothing is sent yet. */
int mue_api_open(struct mue_cli *cli, struct mue_api *ret, struct mue_error *e);
void mue_api_close(struct mue_api *api);

/*
 * One call.  `path` starts with a slash and is encoded already.  `body` may be NULL.  *ret (may be
 * NULL) gets the answer, NULL when it was empty; the caller releases it with json_decref.
 */
int mue_api_call(struct mue_api *api, const char *method, const char *path, const json_t *body,
		 json_t **ret, struct mue_error *e);

/* GET with the path made by printf from already encoded parts. */
int mue_api_get(struct mue_api *api, json_t **ret, struct mue_error *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* As mue_api_get, but 404 (and an empty answer) give 0 and *ret NULL. */
int mue_api_get_maybe(struct mue_api *api, json_t **ret, struct mue_error *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* All entries of a paged list as one array.  `query` is a FIQL expression, or NULL for all. */
int mue_api_list(struct mue_api *api, const char *path, const char *query, json_t **ret,
		 struct mue_error *e);

/* How many entries match `query`. */
int mue_api_count(struct mue_api *api, const char *path, const char *query, uint64_t *ret,
		  struct mue_error *e);

/* The first entry that matches; MUE_ENOTFOUND without a sentence when none does. */
int mue_api_find(struct mue_api *api, const char *path, const char *query, json_t **ret,
		 struct mue_error *e);

/* POST of one entity as an array of one, as hawkBit wants it; *ret is the one made. */
int mue_api_create(struct mue_api *api, const char *path, json_t *entity, json_t **ret,
		   struct mue_error *e);

/* Uploads a file as multipart part "file". */
int mue_api_upload(struct mue_api *api, const char *path, const char *file, const char *name,
		   mue_http_progress progress, void *ctx, json_t **ret, struct mue_error *e);

/* The id of the distribution set NAME:VERSION, as --ds names it. */
int mue_api_find_set(struct mue_api *api, const char *spec, int64_t *ret, struct mue_error *e);

/* Members with a default for what is absent or of another type. */
const char *mue_json_str(const json_t *o, const char *key, const char *unset);
int64_t mue_json_int(const json_t *o, const char *key, int64_t unset);

#endif
